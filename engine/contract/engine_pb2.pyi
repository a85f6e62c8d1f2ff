from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Brush(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BRUSH_MEDIUM: _ClassVar[Brush]
    BRUSH_FINE: _ClassVar[Brush]
    BRUSH_BOLD: _ClassVar[Brush]

class Faces(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FACES_AS_THE_REST: _ClassVar[Faces]
    FACES_MILD: _ClassVar[Faces]
BRUSH_MEDIUM: Brush
BRUSH_FINE: Brush
BRUSH_BOLD: Brush
FACES_AS_THE_REST: Faces
FACES_MILD: Faces

class Job(_message.Message):
    __slots__ = ("job_id", "member_key")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_KEY_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    member_key: str
    def __init__(self, job_id: _Optional[str] = ..., member_key: _Optional[str] = ...) -> None: ...

class Queued(_message.Message):
    __slots__ = ("position", "eta_s")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ETA_S_FIELD_NUMBER: _ClassVar[int]
    position: int
    eta_s: float
    def __init__(self, position: _Optional[int] = ..., eta_s: _Optional[float] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("stage", "fraction")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    stage: str
    fraction: float
    def __init__(self, stage: _Optional[str] = ..., fraction: _Optional[float] = ...) -> None: ...

class QueueRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueueReply(_message.Message):
    __slots__ = ("entries",)
    class Entry(_message.Message):
        __slots__ = ("job_id", "member_key", "kind", "position", "waited_s", "fraction", "eta_s", "stage")
        JOB_ID_FIELD_NUMBER: _ClassVar[int]
        MEMBER_KEY_FIELD_NUMBER: _ClassVar[int]
        KIND_FIELD_NUMBER: _ClassVar[int]
        POSITION_FIELD_NUMBER: _ClassVar[int]
        WAITED_S_FIELD_NUMBER: _ClassVar[int]
        FRACTION_FIELD_NUMBER: _ClassVar[int]
        ETA_S_FIELD_NUMBER: _ClassVar[int]
        STAGE_FIELD_NUMBER: _ClassVar[int]
        job_id: str
        member_key: str
        kind: str
        position: int
        waited_s: float
        fraction: float
        eta_s: float
        stage: str
        def __init__(self, job_id: _Optional[str] = ..., member_key: _Optional[str] = ..., kind: _Optional[str] = ..., position: _Optional[int] = ..., waited_s: _Optional[float] = ..., fraction: _Optional[float] = ..., eta_s: _Optional[float] = ..., stage: _Optional[str] = ...) -> None: ...
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[QueueReply.Entry]
    def __init__(self, entries: _Optional[_Iterable[_Union[QueueReply.Entry, _Mapping]]] = ...) -> None: ...

class CancelRequest(_message.Message):
    __slots__ = ("job_id", "member_key", "anyones")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_KEY_FIELD_NUMBER: _ClassVar[int]
    ANYONES_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    member_key: str
    anyones: bool
    def __init__(self, job_id: _Optional[str] = ..., member_key: _Optional[str] = ..., anyones: _Optional[bool] = ...) -> None: ...

class CancelReply(_message.Message):
    __slots__ = ("cancelled",)
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    cancelled: bool
    def __init__(self, cancelled: _Optional[bool] = ...) -> None: ...

class AboutRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "version", "parameters", "summary", "card")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    CARD_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    parameters: int
    summary: str
    card: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., parameters: _Optional[int] = ..., summary: _Optional[str] = ..., card: _Optional[str] = ...) -> None: ...

class AboutReply(_message.Message):
    __slots__ = ("version", "torch_version", "device", "models", "soundfont", "uptime_s", "cards", "generators", "contract", "intake_layers", "reference", "stages", "memory_used_bytes", "memory_bytes")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TORCH_VERSION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    SOUNDFONT_FIELD_NUMBER: _ClassVar[int]
    UPTIME_S_FIELD_NUMBER: _ClassVar[int]
    CARDS_FIELD_NUMBER: _ClassVar[int]
    GENERATORS_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    INTAKE_LAYERS_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_USED_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    version: str
    torch_version: str
    device: str
    models: _containers.RepeatedCompositeFieldContainer[Model]
    soundfont: str
    uptime_s: float
    cards: int
    generators: int
    contract: int
    intake_layers: _containers.RepeatedScalarFieldContainer[str]
    reference: str
    stages: _containers.RepeatedCompositeFieldContainer[StageTime]
    memory_used_bytes: int
    memory_bytes: int
    def __init__(self, version: _Optional[str] = ..., torch_version: _Optional[str] = ..., device: _Optional[str] = ..., models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., soundfont: _Optional[str] = ..., uptime_s: _Optional[float] = ..., cards: _Optional[int] = ..., generators: _Optional[int] = ..., contract: _Optional[int] = ..., intake_layers: _Optional[_Iterable[str]] = ..., reference: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[StageTime, _Mapping]]] = ..., memory_used_bytes: _Optional[int] = ..., memory_bytes: _Optional[int] = ...) -> None: ...

class StageTime(_message.Message):
    __slots__ = ("kind", "stage", "count", "seconds")
    KIND_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    stage: str
    count: int
    seconds: float
    def __init__(self, kind: _Optional[str] = ..., stage: _Optional[str] = ..., count: _Optional[int] = ..., seconds: _Optional[float] = ...) -> None: ...

class ListStylesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Style(_message.Message):
    __slots__ = ("name", "title", "artist", "year", "period")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    ARTIST_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    artist: str
    year: str
    period: str
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., artist: _Optional[str] = ..., year: _Optional[str] = ..., period: _Optional[str] = ...) -> None: ...

class ListStylesReply(_message.Message):
    __slots__ = ("styles", "model_version")
    STYLES_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    styles: _containers.RepeatedCompositeFieldContainer[Style]
    model_version: str
    def __init__(self, styles: _Optional[_Iterable[_Union[Style, _Mapping]]] = ..., model_version: _Optional[str] = ...) -> None: ...

class EncodeStyleRequest(_message.Message):
    __slots__ = ("image", "job")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    job: Job
    def __init__(self, image: _Optional[bytes] = ..., job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class EncodeStyleReply(_message.Message):
    __slots__ = ("code", "model_version", "picture")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    code: bytes
    model_version: str
    picture: bytes
    def __init__(self, code: _Optional[bytes] = ..., model_version: _Optional[str] = ..., picture: _Optional[bytes] = ...) -> None: ...

class StylizeRequest(_message.Message):
    __slots__ = ("job", "image", "style", "style_image", "style_code", "strength", "keep_colors", "size", "seed", "blend_with", "blend_with_code", "blend", "max_bytes", "style_name", "blend_with_name", "brush", "keep_copies", "rising", "faces")
    JOB_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    STYLE_IMAGE_FIELD_NUMBER: _ClassVar[int]
    STYLE_CODE_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    KEEP_COLORS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    BLEND_WITH_FIELD_NUMBER: _ClassVar[int]
    BLEND_WITH_CODE_FIELD_NUMBER: _ClassVar[int]
    BLEND_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    STYLE_NAME_FIELD_NUMBER: _ClassVar[int]
    BLEND_WITH_NAME_FIELD_NUMBER: _ClassVar[int]
    BRUSH_FIELD_NUMBER: _ClassVar[int]
    KEEP_COPIES_FIELD_NUMBER: _ClassVar[int]
    RISING_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    job: Job
    image: bytes
    style: str
    style_image: bytes
    style_code: bytes
    strength: float
    keep_colors: bool
    size: int
    seed: int
    blend_with: str
    blend_with_code: bytes
    blend: float
    max_bytes: int
    style_name: str
    blend_with_name: str
    brush: Brush
    keep_copies: bool
    rising: bool
    faces: Faces
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ..., image: _Optional[bytes] = ..., style: _Optional[str] = ..., style_image: _Optional[bytes] = ..., style_code: _Optional[bytes] = ..., strength: _Optional[float] = ..., keep_colors: _Optional[bool] = ..., size: _Optional[int] = ..., seed: _Optional[int] = ..., blend_with: _Optional[str] = ..., blend_with_code: _Optional[bytes] = ..., blend: _Optional[float] = ..., max_bytes: _Optional[int] = ..., style_name: _Optional[str] = ..., blend_with_name: _Optional[str] = ..., brush: _Optional[_Union[Brush, str]] = ..., keep_copies: _Optional[bool] = ..., rising: _Optional[bool] = ..., faces: _Optional[_Union[Faces, str]] = ...) -> None: ...

class StylizeResult(_message.Message):
    __slots__ = ("image", "media_type", "extension", "width", "height", "before_after", "style", "compute_s", "seed", "notes", "model_version", "drawn_style", "kept_image", "kept_style_image")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXTENSION_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_AFTER_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_S_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    DRAWN_STYLE_FIELD_NUMBER: _ClassVar[int]
    KEPT_IMAGE_FIELD_NUMBER: _ClassVar[int]
    KEPT_STYLE_IMAGE_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    media_type: str
    extension: str
    width: int
    height: int
    before_after: bytes
    style: str
    compute_s: float
    seed: int
    notes: _containers.RepeatedScalarFieldContainer[str]
    model_version: str
    drawn_style: str
    kept_image: bytes
    kept_style_image: bytes
    def __init__(self, image: _Optional[bytes] = ..., media_type: _Optional[str] = ..., extension: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., before_after: _Optional[bytes] = ..., style: _Optional[str] = ..., compute_s: _Optional[float] = ..., seed: _Optional[int] = ..., notes: _Optional[_Iterable[str]] = ..., model_version: _Optional[str] = ..., drawn_style: _Optional[str] = ..., kept_image: _Optional[bytes] = ..., kept_style_image: _Optional[bytes] = ...) -> None: ...

class StylizeEvent(_message.Message):
    __slots__ = ("queued", "progress", "result")
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    queued: Queued
    progress: Progress
    result: StylizeResult
    def __init__(self, queued: _Optional[_Union[Queued, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., result: _Optional[_Union[StylizeResult, _Mapping]] = ...) -> None: ...

class StyleSheetRequest(_message.Message):
    __slots__ = ("job", "image", "saved", "max_bytes")
    class SavedStyle(_message.Message):
        __slots__ = ("name", "code")
        NAME_FIELD_NUMBER: _ClassVar[int]
        CODE_FIELD_NUMBER: _ClassVar[int]
        name: str
        code: bytes
        def __init__(self, name: _Optional[str] = ..., code: _Optional[bytes] = ...) -> None: ...
    JOB_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    SAVED_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    job: Job
    image: bytes
    saved: _containers.RepeatedCompositeFieldContainer[StyleSheetRequest.SavedStyle]
    max_bytes: int
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ..., image: _Optional[bytes] = ..., saved: _Optional[_Iterable[_Union[StyleSheetRequest.SavedStyle, _Mapping]]] = ..., max_bytes: _Optional[int] = ...) -> None: ...

class StyleSheetResult(_message.Message):
    __slots__ = ("pages", "model_version", "painted", "compute_s", "notes")
    class Page(_message.Message):
        __slots__ = ("sheet", "names", "saved", "period")
        SHEET_FIELD_NUMBER: _ClassVar[int]
        NAMES_FIELD_NUMBER: _ClassVar[int]
        SAVED_FIELD_NUMBER: _ClassVar[int]
        PERIOD_FIELD_NUMBER: _ClassVar[int]
        sheet: bytes
        names: _containers.RepeatedScalarFieldContainer[str]
        saved: bool
        period: str
        def __init__(self, sheet: _Optional[bytes] = ..., names: _Optional[_Iterable[str]] = ..., saved: _Optional[bool] = ..., period: _Optional[str] = ...) -> None: ...
    PAGES_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    PAINTED_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_S_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    pages: _containers.RepeatedCompositeFieldContainer[StyleSheetResult.Page]
    model_version: str
    painted: int
    compute_s: float
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, pages: _Optional[_Iterable[_Union[StyleSheetResult.Page, _Mapping]]] = ..., model_version: _Optional[str] = ..., painted: _Optional[int] = ..., compute_s: _Optional[float] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class StyleSheetEvent(_message.Message):
    __slots__ = ("queued", "progress", "result")
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    queued: Queued
    progress: Progress
    result: StyleSheetResult
    def __init__(self, queued: _Optional[_Union[Queued, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., result: _Optional[_Union[StyleSheetResult, _Mapping]] = ...) -> None: ...

class SeeRequest(_message.Message):
    __slots__ = ("job", "image")
    JOB_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    job: Job
    image: bytes
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ..., image: _Optional[bytes] = ...) -> None: ...

class SeeResult(_message.Message):
    __slots__ = ("sheet", "notes")
    SHEET_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    sheet: bytes
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, sheet: _Optional[bytes] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class SeeEvent(_message.Message):
    __slots__ = ("queued", "progress", "result")
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    queued: Queued
    progress: Progress
    result: SeeResult
    def __init__(self, queued: _Optional[_Union[Queued, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., result: _Optional[_Union[SeeResult, _Mapping]] = ...) -> None: ...

class ListJazzOptionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Piece(_message.Message):
    __slots__ = ("id", "title", "composer", "year", "source")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    COMPOSER_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    composer: str
    year: str
    source: str
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., composer: _Optional[str] = ..., year: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class ListJazzOptionsReply(_message.Message):
    __slots__ = ("instruments", "forms", "keys", "feels", "pieces", "min_bars", "max_bars", "min_tempo_bpm", "max_tempo_bpm", "styles", "model_versions")
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    FORMS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    FEELS_FIELD_NUMBER: _ClassVar[int]
    PIECES_FIELD_NUMBER: _ClassVar[int]
    MIN_BARS_FIELD_NUMBER: _ClassVar[int]
    MAX_BARS_FIELD_NUMBER: _ClassVar[int]
    MIN_TEMPO_BPM_FIELD_NUMBER: _ClassVar[int]
    MAX_TEMPO_BPM_FIELD_NUMBER: _ClassVar[int]
    STYLES_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    instruments: _containers.RepeatedScalarFieldContainer[str]
    forms: _containers.RepeatedScalarFieldContainer[str]
    keys: _containers.RepeatedScalarFieldContainer[str]
    feels: _containers.RepeatedScalarFieldContainer[str]
    pieces: _containers.RepeatedCompositeFieldContainer[Piece]
    min_bars: int
    max_bars: int
    min_tempo_bpm: float
    max_tempo_bpm: float
    styles: _containers.RepeatedScalarFieldContainer[str]
    model_versions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, instruments: _Optional[_Iterable[str]] = ..., forms: _Optional[_Iterable[str]] = ..., keys: _Optional[_Iterable[str]] = ..., feels: _Optional[_Iterable[str]] = ..., pieces: _Optional[_Iterable[_Union[Piece, _Mapping]]] = ..., min_bars: _Optional[int] = ..., max_bars: _Optional[int] = ..., min_tempo_bpm: _Optional[float] = ..., max_tempo_bpm: _Optional[float] = ..., styles: _Optional[_Iterable[str]] = ..., model_versions: _Optional[_Iterable[str]] = ...) -> None: ...

class PlayRequest(_message.Message):
    __slots__ = ("job", "chords", "bars", "tempo_bpm", "instrument", "seed", "form", "key", "feel", "takes", "continue_from", "max_bytes", "solo_seed", "solo_instrument", "solo_tempo_bpm", "form_chords", "style", "beats_per_bar", "for_trial", "model_version")
    JOB_FIELD_NUMBER: _ClassVar[int]
    CHORDS_FIELD_NUMBER: _ClassVar[int]
    BARS_FIELD_NUMBER: _ClassVar[int]
    TEMPO_BPM_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    FEEL_FIELD_NUMBER: _ClassVar[int]
    TAKES_FIELD_NUMBER: _ClassVar[int]
    CONTINUE_FROM_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    SOLO_SEED_FIELD_NUMBER: _ClassVar[int]
    SOLO_INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SOLO_TEMPO_BPM_FIELD_NUMBER: _ClassVar[int]
    FORM_CHORDS_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    BEATS_PER_BAR_FIELD_NUMBER: _ClassVar[int]
    FOR_TRIAL_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    job: Job
    chords: str
    bars: int
    tempo_bpm: float
    instrument: str
    seed: int
    form: str
    key: str
    feel: str
    takes: int
    continue_from: bytes
    max_bytes: int
    solo_seed: int
    solo_instrument: str
    solo_tempo_bpm: float
    form_chords: str
    style: str
    beats_per_bar: int
    for_trial: bool
    model_version: str
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ..., chords: _Optional[str] = ..., bars: _Optional[int] = ..., tempo_bpm: _Optional[float] = ..., instrument: _Optional[str] = ..., seed: _Optional[int] = ..., form: _Optional[str] = ..., key: _Optional[str] = ..., feel: _Optional[str] = ..., takes: _Optional[int] = ..., continue_from: _Optional[bytes] = ..., max_bytes: _Optional[int] = ..., solo_seed: _Optional[int] = ..., solo_instrument: _Optional[str] = ..., solo_tempo_bpm: _Optional[float] = ..., form_chords: _Optional[str] = ..., style: _Optional[str] = ..., beats_per_bar: _Optional[int] = ..., for_trial: _Optional[bool] = ..., model_version: _Optional[str] = ...) -> None: ...

class RenderRequest(_message.Message):
    __slots__ = ("job", "midi", "audio", "piece_id", "chords", "tempo_bpm", "instrument", "seed", "melody_track", "max_bytes", "max_duration_s", "for_trial", "shuffle_seed")
    JOB_FIELD_NUMBER: _ClassVar[int]
    MIDI_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    PIECE_ID_FIELD_NUMBER: _ClassVar[int]
    CHORDS_FIELD_NUMBER: _ClassVar[int]
    TEMPO_BPM_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MELODY_TRACK_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_DURATION_S_FIELD_NUMBER: _ClassVar[int]
    FOR_TRIAL_FIELD_NUMBER: _ClassVar[int]
    SHUFFLE_SEED_FIELD_NUMBER: _ClassVar[int]
    job: Job
    midi: bytes
    audio: bytes
    piece_id: str
    chords: str
    tempo_bpm: float
    instrument: str
    seed: int
    melody_track: int
    max_bytes: int
    max_duration_s: float
    for_trial: bool
    shuffle_seed: int
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ..., midi: _Optional[bytes] = ..., audio: _Optional[bytes] = ..., piece_id: _Optional[str] = ..., chords: _Optional[str] = ..., tempo_bpm: _Optional[float] = ..., instrument: _Optional[str] = ..., seed: _Optional[int] = ..., melody_track: _Optional[int] = ..., max_bytes: _Optional[int] = ..., max_duration_s: _Optional[float] = ..., for_trial: _Optional[bool] = ..., shuffle_seed: _Optional[int] = ...) -> None: ...

class Clip(_message.Message):
    __slots__ = ("audio", "midi", "roll", "lead_sheet", "seed", "chords", "bars", "tempo_bpm", "instrument", "form", "key", "feel", "model_version", "soundfont", "duration_s", "loudness_lufs", "true_peak_dbtp", "compute_s", "takes", "longest_copied_run", "notes", "chords_estimated", "notated", "melody_track", "tracks", "style", "beats_per_bar", "fingerprint")
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    MIDI_FIELD_NUMBER: _ClassVar[int]
    ROLL_FIELD_NUMBER: _ClassVar[int]
    LEAD_SHEET_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    CHORDS_FIELD_NUMBER: _ClassVar[int]
    BARS_FIELD_NUMBER: _ClassVar[int]
    TEMPO_BPM_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    FEEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    SOUNDFONT_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    LOUDNESS_LUFS_FIELD_NUMBER: _ClassVar[int]
    TRUE_PEAK_DBTP_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_S_FIELD_NUMBER: _ClassVar[int]
    TAKES_FIELD_NUMBER: _ClassVar[int]
    LONGEST_COPIED_RUN_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    CHORDS_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    NOTATED_FIELD_NUMBER: _ClassVar[int]
    MELODY_TRACK_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    BEATS_PER_BAR_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    audio: bytes
    midi: bytes
    roll: bytes
    lead_sheet: bytes
    seed: int
    chords: str
    bars: int
    tempo_bpm: float
    instrument: str
    form: str
    key: str
    feel: str
    model_version: str
    soundfont: str
    duration_s: float
    loudness_lufs: float
    true_peak_dbtp: float
    compute_s: float
    takes: int
    longest_copied_run: int
    notes: _containers.RepeatedScalarFieldContainer[str]
    chords_estimated: bool
    notated: bool
    melody_track: int
    tracks: _containers.RepeatedCompositeFieldContainer[Track]
    style: str
    beats_per_bar: int
    fingerprint: bytes
    def __init__(self, audio: _Optional[bytes] = ..., midi: _Optional[bytes] = ..., roll: _Optional[bytes] = ..., lead_sheet: _Optional[bytes] = ..., seed: _Optional[int] = ..., chords: _Optional[str] = ..., bars: _Optional[int] = ..., tempo_bpm: _Optional[float] = ..., instrument: _Optional[str] = ..., form: _Optional[str] = ..., key: _Optional[str] = ..., feel: _Optional[str] = ..., model_version: _Optional[str] = ..., soundfont: _Optional[str] = ..., duration_s: _Optional[float] = ..., loudness_lufs: _Optional[float] = ..., true_peak_dbtp: _Optional[float] = ..., compute_s: _Optional[float] = ..., takes: _Optional[int] = ..., longest_copied_run: _Optional[int] = ..., notes: _Optional[_Iterable[str]] = ..., chords_estimated: _Optional[bool] = ..., notated: _Optional[bool] = ..., melody_track: _Optional[int] = ..., tracks: _Optional[_Iterable[_Union[Track, _Mapping]]] = ..., style: _Optional[str] = ..., beats_per_bar: _Optional[int] = ..., fingerprint: _Optional[bytes] = ...) -> None: ...

class Track(_message.Message):
    __slots__ = ("number", "name", "notes")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    number: int
    name: str
    notes: int
    def __init__(self, number: _Optional[int] = ..., name: _Optional[str] = ..., notes: _Optional[int] = ...) -> None: ...

class PlayEvent(_message.Message):
    __slots__ = ("queued", "progress", "result")
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    queued: Queued
    progress: Progress
    result: Clip
    def __init__(self, queued: _Optional[_Union[Queued, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., result: _Optional[_Union[Clip, _Mapping]] = ...) -> None: ...

class ListTopicsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTopicsReply(_message.Message):
    __slots__ = ("topics",)
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    topics: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, topics: _Optional[_Iterable[str]] = ...) -> None: ...

class AskRequest(_message.Message):
    __slots__ = ("question", "card_id", "symbol", "passages", "aliases")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    CARD_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    PASSAGES_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    question: str
    card_id: str
    symbol: str
    passages: _containers.RepeatedCompositeFieldContainer[Passage]
    aliases: _containers.RepeatedCompositeFieldContainer[Alias]
    def __init__(self, question: _Optional[str] = ..., card_id: _Optional[str] = ..., symbol: _Optional[str] = ..., passages: _Optional[_Iterable[_Union[Passage, _Mapping]]] = ..., aliases: _Optional[_Iterable[_Union[Alias, _Mapping]]] = ...) -> None: ...

class Passage(_message.Message):
    __slots__ = ("file", "heading", "text")
    FILE_FIELD_NUMBER: _ClassVar[int]
    HEADING_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    file: str
    heading: str
    text: str
    def __init__(self, file: _Optional[str] = ..., heading: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Alias(_message.Message):
    __slots__ = ("question", "card_id")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    CARD_ID_FIELD_NUMBER: _ClassVar[int]
    question: str
    card_id: str
    def __init__(self, question: _Optional[str] = ..., card_id: _Optional[str] = ...) -> None: ...

class Card(_message.Message):
    __slots__ = ("id", "topic", "title", "text", "code", "output", "source", "score", "see", "message", "symbol")
    class Link(_message.Message):
        __slots__ = ("id", "title")
        ID_FIELD_NUMBER: _ClassVar[int]
        TITLE_FIELD_NUMBER: _ClassVar[int]
        id: str
        title: str
        def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SEE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    id: str
    topic: str
    title: str
    text: str
    code: str
    output: str
    source: str
    score: float
    see: _containers.RepeatedCompositeFieldContainer[Card.Link]
    message: str
    symbol: str
    def __init__(self, id: _Optional[str] = ..., topic: _Optional[str] = ..., title: _Optional[str] = ..., text: _Optional[str] = ..., code: _Optional[str] = ..., output: _Optional[str] = ..., source: _Optional[str] = ..., score: _Optional[float] = ..., see: _Optional[_Iterable[_Union[Card.Link, _Mapping]]] = ..., message: _Optional[str] = ..., symbol: _Optional[str] = ...) -> None: ...

class AskReply(_message.Message):
    __slots__ = ("known", "cards", "calculation", "entries", "quotes")
    class Calculation(_message.Message):
        __slots__ = ("asked", "answer", "steps", "problem")
        ASKED_FIELD_NUMBER: _ClassVar[int]
        ANSWER_FIELD_NUMBER: _ClassVar[int]
        STEPS_FIELD_NUMBER: _ClassVar[int]
        PROBLEM_FIELD_NUMBER: _ClassVar[int]
        asked: str
        answer: str
        steps: _containers.RepeatedScalarFieldContainer[str]
        problem: str
        def __init__(self, asked: _Optional[str] = ..., answer: _Optional[str] = ..., steps: _Optional[_Iterable[str]] = ..., problem: _Optional[str] = ...) -> None: ...
    class Entry(_message.Message):
        __slots__ = ("name", "signature", "text", "example", "output", "link", "version")
        NAME_FIELD_NUMBER: _ClassVar[int]
        SIGNATURE_FIELD_NUMBER: _ClassVar[int]
        TEXT_FIELD_NUMBER: _ClassVar[int]
        EXAMPLE_FIELD_NUMBER: _ClassVar[int]
        OUTPUT_FIELD_NUMBER: _ClassVar[int]
        LINK_FIELD_NUMBER: _ClassVar[int]
        VERSION_FIELD_NUMBER: _ClassVar[int]
        name: str
        signature: str
        text: str
        example: str
        output: str
        link: str
        version: str
        def __init__(self, name: _Optional[str] = ..., signature: _Optional[str] = ..., text: _Optional[str] = ..., example: _Optional[str] = ..., output: _Optional[str] = ..., link: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    CARDS_FIELD_NUMBER: _ClassVar[int]
    CALCULATION_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    known: bool
    cards: _containers.RepeatedCompositeFieldContainer[Card]
    calculation: AskReply.Calculation
    entries: _containers.RepeatedCompositeFieldContainer[AskReply.Entry]
    quotes: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, known: _Optional[bool] = ..., cards: _Optional[_Iterable[_Union[Card, _Mapping]]] = ..., calculation: _Optional[_Union[AskReply.Calculation, _Mapping]] = ..., entries: _Optional[_Iterable[_Union[AskReply.Entry, _Mapping]]] = ..., quotes: _Optional[_Iterable[int]] = ...) -> None: ...

class ReadNotesRequest(_message.Message):
    __slots__ = ("data", "filename")
    DATA_FIELD_NUMBER: _ClassVar[int]
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    filename: str
    def __init__(self, data: _Optional[bytes] = ..., filename: _Optional[str] = ...) -> None: ...

class ReadNotesReply(_message.Message):
    __slots__ = ("passages", "cut")
    PASSAGES_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    passages: _containers.RepeatedCompositeFieldContainer[Passage]
    cut: bool
    def __init__(self, passages: _Optional[_Iterable[_Union[Passage, _Mapping]]] = ..., cut: _Optional[bool] = ...) -> None: ...

class QuizRequest(_message.Message):
    __slots__ = ("topic", "seed", "avoid", "kinds", "generator", "pictures", "card")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    AVOID_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    GENERATOR_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    CARD_FIELD_NUMBER: _ClassVar[int]
    topic: str
    seed: int
    avoid: _containers.RepeatedScalarFieldContainer[str]
    kinds: _containers.RepeatedScalarFieldContainer[str]
    generator: str
    pictures: bool
    card: str
    def __init__(self, topic: _Optional[str] = ..., seed: _Optional[int] = ..., avoid: _Optional[_Iterable[str]] = ..., kinds: _Optional[_Iterable[str]] = ..., generator: _Optional[str] = ..., pictures: _Optional[bool] = ..., card: _Optional[str] = ...) -> None: ...

class QuizReply(_message.Message):
    __slots__ = ("generator", "topic", "seed", "question", "code", "options", "correct", "explanation", "card_id", "reasons", "kind", "answer", "right", "orders", "picture", "alt", "slips", "fixed")
    class Order(_message.Message):
        __slots__ = ("places",)
        PLACES_FIELD_NUMBER: _ClassVar[int]
        places: _containers.RepeatedScalarFieldContainer[int]
        def __init__(self, places: _Optional[_Iterable[int]] = ...) -> None: ...
    class Slip(_message.Message):
        __slots__ = ("answer", "reason")
        ANSWER_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        answer: str
        reason: str
        def __init__(self, answer: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
    GENERATOR_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    CORRECT_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    CARD_ID_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    ALT_FIELD_NUMBER: _ClassVar[int]
    SLIPS_FIELD_NUMBER: _ClassVar[int]
    FIXED_FIELD_NUMBER: _ClassVar[int]
    generator: str
    topic: str
    seed: int
    question: str
    code: str
    options: _containers.RepeatedScalarFieldContainer[str]
    correct: int
    explanation: str
    card_id: str
    reasons: _containers.RepeatedScalarFieldContainer[str]
    kind: str
    answer: str
    right: _containers.RepeatedScalarFieldContainer[int]
    orders: _containers.RepeatedCompositeFieldContainer[QuizReply.Order]
    picture: bytes
    alt: str
    slips: _containers.RepeatedCompositeFieldContainer[QuizReply.Slip]
    fixed: bool
    def __init__(self, generator: _Optional[str] = ..., topic: _Optional[str] = ..., seed: _Optional[int] = ..., question: _Optional[str] = ..., code: _Optional[str] = ..., options: _Optional[_Iterable[str]] = ..., correct: _Optional[int] = ..., explanation: _Optional[str] = ..., card_id: _Optional[str] = ..., reasons: _Optional[_Iterable[str]] = ..., kind: _Optional[str] = ..., answer: _Optional[str] = ..., right: _Optional[_Iterable[int]] = ..., orders: _Optional[_Iterable[_Union[QuizReply.Order, _Mapping]]] = ..., picture: _Optional[bytes] = ..., alt: _Optional[str] = ..., slips: _Optional[_Iterable[_Union[QuizReply.Slip, _Mapping]]] = ..., fixed: _Optional[bool] = ...) -> None: ...
