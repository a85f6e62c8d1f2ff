"""The server over a real socket: events in order, errors as statuses, health, the token, leaving with the bot."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from engine.contract import ERROR_METADATA_KEY, HUNG_EXIT_CODE, MESSAGE_OPTIONS, PARENT_FD_VARIABLE, TOKEN_METADATA_KEY
from engine.contract import engine_pb2 as pb
from engine.contract import engine_pb2_grpc as pb_grpc
from engine.contract.configuration import ConfigurationError
from engine.errors import Internal, UnknownStyle
from engine.serving.intake.pool import Intake
from engine.serving.scheduler import Limits
from engine.serving.server import serve
from engine.settings import EngineSettings, ProcessSettings
from engine.teach.notes.reading import notes_upload, passages_of
from engine.uploads import CALCULATION, Upload
from tests.engine.stylize.pictures.uploads import opened, photo

WAIT_S = 120
BOUNDS = {"max_upload_bytes": 1 << 20, "max_pixels": 1 << 20, "max_side_px": 256}


class Studio:
    """Rooms small enough to say what went in."""

    version = "abc"

    def __init__(self):
        self.busy = threading.Event()
        self.cancelled = threading.Event()

    def model(self):
        return pb.Model(name="stylize", version="abc", parameters=3)

    def styles(self):
        return [pb.Style(name="great-wave", title="The Great Wave", artist="Hokusai", year="1831")]

    def uploads(self, request):
        if request.style == "nobody":
            raise UnknownStyle("There is no style 'nobody'; did you mean 'great-wave'?")
        return ()

    def prepare(self, request, readings):
        return request

    def share_key(self, work):
        return None

    def paint(self, request, progress):
        if request.style == "endless":
            self.busy.set()
            try:
                while True:
                    progress("painting", 0.5)
            except BaseException:
                self.cancelled.set()
                raise
        if request.style == "deaf":
            self.busy.set()
            self.cancelled.wait(WAIT_S)
        progress("painting", 0.5)
        return request

    def paint_together(self, works, progresses):
        raise AssertionError("`share_key` says that no two of these share a turn")

    def finish(self, painted, progress):
        progress("encoding", 0.95)
        return pb.StylizeResult(image=painted.image, style=painted.style)

    def style_upload(self, request):
        return Upload("picture", request.image, BOUNDS)

    def encode_style(self, reading, progress):
        return reading.arrays[0].tobytes()

    def finish_style(self, encoded, progress):
        return pb.EncodeStyleReply(code=encoded, model_version=self.version)

    def sheet_uploads(self, request):
        return ()

    def prepare_sheet(self, request, readings):
        return request

    def paint_sheet(self, request, progress):
        return request

    def finish_sheet(self, request, progress):
        return pb.StyleSheetResult(pages=[pb.StyleSheetResult.Page(sheet=request.image, names=["great-wave"])])


class Combo:
    soundfont = "tiny.sf2"

    def model(self):
        return pb.Model(name="jazz", version="def", parameters=4)

    def options(self):
        return pb.ListJazzOptionsReply(instruments=["tenor sax"])

    def uploads(self, request):
        return ()

    def heard(self, request, readings):
        return None

    def improvise(self, request, heard, progress):
        return pb.Clip(seed=request.seed)

    def finish(self, work, progress):
        return pb.Clip(seed=work.seed, audio=b"OggS")


class Library:
    card_count = 1
    generator_count = 2

    def topics(self):
        return ["tensors"]

    def reference_state(self):
        return "off"

    def calculation(self, request):
        return Upload(CALCULATION, request.question.encode()) if "torch" in request.question else None

    def answer(self, request, calculated):
        reply = pb.AskReply(known=bool(request.question))
        if calculated is not None:
            reply.calculation.answer = calculated.facts["answer"]
        return reply

    def notes_upload(self, request):
        return notes_upload(request.data, request.filename)

    def notes(self, reading):
        passages, cut = passages_of(reading)
        return pb.ReadNotesReply(passages=[pb.Passage(heading=p.heading, text=p.text) for p in passages], cut=cut)

    def quiz(self, request):
        return pb.QuizReply(topic=request.topic)


class Rooms:
    def __init__(self):
        self.studio, self.combo, self.library = Studio(), Combo(), Library()


@contextlib.asynccontextmanager
async def running_engine(tmp_path, rooms=None, load=None, children=0, limits=None, codes=None, **process):
    """A served engine and a channel to it; `load` may hold it in its warm-up. With `children` it can read files. Its
    exit code is added to `codes`."""
    address = f"unix:{tmp_path}/engine.sock"
    settings = EngineSettings(engine=ProcessSettings(listen=address, device="cpu", threads=1, **process))
    stop = asyncio.Event()
    load = load or (lambda settings: rooms or Rooms())
    task = asyncio.create_task(serve(settings, load, stop, limits, Intake(children)))
    try:
        async with grpc.aio.insecure_channel(address, options=MESSAGE_OPTIONS) as channel:
            yield channel
    finally:
        stop.set()
        code = await asyncio.wait_for(task, WAIT_S)
        if codes is not None:
            codes.append(code)


async def wait_until_serving(channel):
    checker = health_pb2_grpc.HealthStub(channel)
    async with asyncio.timeout(WAIT_S):
        while True:
            reply = await checker.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
            if reply.status == health_pb2.HealthCheckResponse.SERVING:
                return
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def serving(tmp_path, rooms=None, **process):
    async with running_engine(tmp_path, rooms, **process) as channel:
        await wait_until_serving(channel)
        yield pb_grpc.EngineStub(channel)


async def test_a_long_call_ends_with_one_result(tmp_path):
    async with serving(tmp_path) as engine:
        request = pb.StylizeRequest(job=pb.Job(job_id="1", member_key="ada"), image=b"photo", style="great-wave")
        events = [event async for event in engine.Stylize(request)]
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds[0] == "queued"
    assert kinds[-1] == "result"
    assert kinds.count("result") == 1
    assert events[-1].result.image == b"photo"


async def test_a_contact_sheet_is_a_job_like_any_other_and_a_style_says_which_weights_it_is_of(tmp_path):
    async with serving(tmp_path, children=1) as engine:
        request = pb.StyleSheetRequest(job=pb.Job(job_id="1", member_key="ada"), image=b"photo")
        events = [event async for event in engine.StyleSheet(request)]
        encoded = await engine.EncodeStyle(pb.EncodeStyleRequest(image=photo(2, 1)))
        listed = await engine.ListStyles(pb.ListStylesRequest())
    assert [events[0].WhichOneof("event"), events[-1].WhichOneof("event")] == ["queued", "result"]
    assert events[-1].result.pages[0].sheet == b"photo"
    assert (encoded.model_version, listed.model_version) == ("abc", "abc")
    assert encoded.code == opened(photo(2, 1)).tobytes()


async def test_an_error_is_a_status_a_sentence_and_a_code(tmp_path):
    async with serving(tmp_path) as engine:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in engine.Stylize(pb.StylizeRequest(style="nobody")):
                pass
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "There is no style 'nobody'; did you mean 'great-wave'?"
    assert dict(caught.value.trailing_metadata())[ERROR_METADATA_KEY] == "unknown_style"


async def test_not_serving_until_warm(tmp_path):
    warm = threading.Event()

    def load(settings):
        assert warm.wait(WAIT_S)
        return Rooms()

    async with running_engine(tmp_path, load=load) as channel:
        checker = health_pb2_grpc.HealthStub(channel)
        reply = await checker.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
        assert reply.status == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.aio.AioRpcError, match="warming up") as caught:
            await pb_grpc.EngineStub(channel).About(pb.AboutRequest())
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        warm.set()
        await wait_until_serving(channel)
        about = await pb_grpc.EngineStub(channel).About(pb.AboutRequest())
    assert [model.name for model in about.models] == ["stylize", "jazz"]
    assert about.device == "cpu (1 threads)"


async def test_closing_the_stream_cancels_the_job(tmp_path):
    rooms = Rooms()
    async with serving(tmp_path, rooms) as engine:
        call = engine.Stylize(pb.StylizeRequest(style="endless"))
        assert (await call.read()).WhichOneof("event") == "queued"
        assert await asyncio.to_thread(rooms.studio.busy.wait, WAIT_S)
        call.cancel()
        assert await asyncio.to_thread(rooms.studio.cancelled.wait, WAIT_S)


@pytest.mark.parametrize(("rising", "kind"), [(False, "stylize"), (True, "film")])
async def test_the_queue_shows_a_running_job_and_its_owner_cancels_it(tmp_path, rising, kind):
    rooms = Rooms()
    async with serving(tmp_path, rooms) as engine:
        job = pb.Job(job_id="7", member_key="ada")
        call = engine.Stylize(pb.StylizeRequest(job=job, style="endless", rising=rising))
        assert await asyncio.to_thread(rooms.studio.busy.wait, WAIT_S)
        entries = (await engine.Queue(pb.QueueRequest())).entries
        assert [(entry.job_id, entry.kind, entry.position) for entry in entries] == [("7", kind, 0)]
        assert not (await engine.Cancel(pb.CancelRequest(job_id="7", member_key="ben"))).cancelled
        assert (await engine.Cancel(pb.CancelRequest(job_id="7", member_key="ada"))).cancelled
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in call:
                pass
    assert caught.value.code() is grpc.StatusCode.CANCELLED


async def test_a_question_never_waits_behind_a_picture(tmp_path):
    rooms = Rooms()
    async with serving(tmp_path, rooms) as engine:
        call = engine.Stylize(pb.StylizeRequest(style="endless"))
        assert await asyncio.to_thread(rooms.studio.busy.wait, WAIT_S)
        async with asyncio.timeout(WAIT_S):
            assert (await engine.Ask(pb.AskRequest(question="what is a tensor?"))).known
            assert (await engine.Quiz(pb.QuizRequest(topic="tensors"))).topic == "tensors"
        call.cancel()


async def test_a_large_upload_crosses(tmp_path):
    photo = os.urandom(25 * 1024 * 1024)
    async with serving(tmp_path) as engine:
        events = [event async for event in engine.Stylize(pb.StylizeRequest(image=photo))]
    assert events[-1].result.image == photo


async def test_the_token_is_asked_of_every_call(tmp_path):
    async with serving(tmp_path, token="swing") as engine:
        for metadata in (None, ((TOKEN_METADATA_KEY, "straight"),)):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await engine.ListTopics(pb.ListTopicsRequest(), metadata=metadata)
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                async for _ in engine.Play(pb.PlayRequest(), metadata=metadata):
                    pass
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        right = ((TOKEN_METADATA_KEY, "swing"),)
        assert (await engine.ListTopics(pb.ListTopicsRequest(), metadata=right)).topics == ["tensors"]
        events = [event async for event in engine.Play(pb.PlayRequest(seed=5), metadata=right)]
        assert events[-1].result.seed == 5


async def test_an_open_address_without_token_and_tls_is_refused():
    settings = EngineSettings(engine=ProcessSettings(listen="0.0.0.0:0", device="cpu"))
    with pytest.raises(
        ConfigurationError, match=r"'engine\.token' and 'engine\.tls_certificate' and 'engine\.tls_key'"
    ):
        await serve(settings, lambda settings: Rooms(), intake=Intake(0))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("no certificate", r"aren't a certificate and its key in PEM"), (None, r"'engine\.tls_key' can't be read")],
)
async def test_a_bad_or_missing_certificate_is_refused(tmp_path, content, sentence):
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_text(content)
    secured = ProcessSettings(listen="127.0.0.1:0", device="cpu", tls_certificate=str(file), tls_key=str(file))
    with pytest.raises(ConfigurationError, match=sentence):
        await serve(EngineSettings(engine=secured), lambda settings: Rooms(), intake=Intake(0))


SERVE_FOREVER = """
import sys
from tests.engine.serving.test_server import Rooms
from engine.serving import server
from engine.serving.intake.pool import Intake
from engine.settings import EngineSettings, ProcessSettings
settings = EngineSettings(engine=ProcessSettings(listen=sys.argv[1], device="cpu", threads=1))
server.serve.__defaults__ = (lambda settings: Rooms(), None, None, Intake(0))
server.main(settings)
"""


@pytest.fixture
def engine_process(tmp_path):
    """An engine as the bot starts it, with the write end of its parent pipe."""
    read_end, write_end = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE_FOREVER, f"unix:{tmp_path}/engine.sock"],
        env={**os.environ, PARENT_FD_VARIABLE: str(read_end)},
        pass_fds=(read_end,),
        stderr=subprocess.PIPE,
    )
    os.close(read_end)
    yield process, write_end, f"unix:{tmp_path}/engine.sock"
    with contextlib.suppress(OSError):
        os.close(write_end)
    process.kill()
    process.communicate()


async def test_the_engine_leaves_when_its_parent_dies(engine_process):
    process, write_end, address = engine_process
    async with grpc.aio.insecure_channel(address, options=MESSAGE_OPTIONS) as channel:
        await wait_until_serving(channel)
    os.close(write_end)
    assert await asyncio.to_thread(process.wait, WAIT_S) == 0


async def test_the_engine_ends_in_order_on_sigterm(engine_process):
    process, _, address = engine_process
    async with grpc.aio.insecure_channel(address, options=MESSAGE_OPTIONS) as channel:
        await wait_until_serving(channel)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, WAIT_S) == 0


async def test_staff_cancel_anybodys_job(tmp_path):
    rooms = Rooms()
    async with serving(tmp_path, rooms) as engine:
        call = engine.Stylize(pb.StylizeRequest(job=pb.Job(job_id="7", member_key="ada"), style="endless"))
        assert await asyncio.to_thread(rooms.studio.busy.wait, WAIT_S)
        assert not (await engine.Cancel(pb.CancelRequest(job_id="7", member_key="staff"))).cancelled
        assert (await engine.Cancel(pb.CancelRequest(job_id="7", member_key="staff", anyones=True))).cancelled
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in call:
                pass
    assert caught.value.code() is grpc.StatusCode.CANCELLED


async def test_a_style_of_a_servers_own_waits_its_turn_like_every_other_job(tmp_path):
    rooms = Rooms()
    async with serving(tmp_path, rooms, children=1) as engine:
        painting = engine.Stylize(pb.StylizeRequest(job=pb.Job(job_id="1", member_key="ada"), style="endless"))
        assert await asyncio.to_thread(rooms.studio.busy.wait, WAIT_S)
        request = pb.EncodeStyleRequest(job=pb.Job(job_id="2", member_key="ben"), image=photo(2, 1))
        encoding = asyncio.ensure_future(engine.EncodeStyle(request))
        waiting = None
        async with asyncio.timeout(WAIT_S):
            while waiting is None or waiting.stage != "ready":
                entries = (await engine.Queue(pb.QueueRequest())).entries
                waiting = next((entry for entry in entries if entry.job_id == "2"), None)
        assert (waiting.kind, waiting.position) == ("style", 1)
        assert not encoding.done()
        painting.cancel()
        assert (await encoding).code


async def test_a_job_that_hangs_on_the_device_ends_the_engine_and_everybody_is_told(tmp_path):
    rooms, codes = Rooms(), []
    limits = Limits(turn_silence_s=0.2, watch_every_s=0.02)
    async with serving(tmp_path, rooms, limits=limits, codes=codes) as engine:
        hung = engine.Stylize(pb.StylizeRequest(job=pb.Job(job_id="1", member_key="ada"), style="deaf"))
        assert await asyncio.to_thread(rooms.studio.busy.wait, WAIT_S)
        waiting = engine.Stylize(pb.StylizeRequest(job=pb.Job(job_id="2", member_key="ben"), style="great-wave"))
        told = []
        for call in (hung, waiting):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                async for _ in call:
                    pass
            told.append(dict(caught.value.trailing_metadata())[ERROR_METADATA_KEY])
    rooms.studio.cancelled.set()
    assert told == ["internal", "restarting"]
    assert codes == [HUNG_EXIT_CODE]


async def test_about_says_what_keeps_the_reading_of_files_in(tmp_path):
    async with serving(tmp_path, children=1) as engine:
        about = await engine.About(pb.AboutRequest())
    assert "memory" in about.intake_layers


async def test_a_calculation_is_computed_in_intake(tmp_path):
    async with running_engine(tmp_path, children=1) as channel:
        await wait_until_serving(channel)
        stub = pb_grpc.EngineStub(channel)
        reply = await stub.Ask(pb.AskRequest(question="what is torch.arange(6).view(2, 3).sum(1)?"))
        assert reply.calculation.answer == "tensor([3, 12])"


async def test_a_question_is_answered_though_intake_fails(tmp_path, monkeypatch):
    async def read(self, upload, progress=None):
        raise Internal("I can't read files right now.")

    monkeypatch.setattr(Intake, "read", read)
    async with serving(tmp_path) as stub:
        reply = await stub.Ask(pb.AskRequest(question="what is torch.ones(2)?"))
        assert reply.known
        assert not reply.HasField("calculation")


async def test_notes_are_read_in_intake_and_refused_with_a_sentence(tmp_path):
    async with running_engine(tmp_path, children=1) as channel:
        await wait_until_serving(channel)
        stub = pb_grpc.EngineStub(channel)
        reply = await stub.ReadNotes(pb.ReadNotesRequest(filename="a.md", data=b"# Exam\nOn Friday."))
        assert [(p.heading, p.text) for p in reply.passages] == [("Exam", "On Friday.")]
        for filename, data in (("a.pdf", b"%PDF-1.7 no more"), ("a.ipynb", b"[" * 100_000), ("a.docx", b"PK")):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.ReadNotes(pb.ReadNotesRequest(filename=filename, data=data))
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "please" in refused.value.details()
