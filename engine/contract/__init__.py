"""The only door between bot/ and engine/: the gRPC contract and what both sides must agree on."""

ERROR_METADATA_KEY = "woodshed-error"
"""Trailing metadata key that carries the `code` of an `engine.errors.EngineError`."""

CONTRACT_VERSION = 1
"""Raised whenever an older side couldn't follow any more. New fields and calls alone don't count: it skips those."""

CONTRACT_METADATA_KEY = "woodshed-contract"
"""Request metadata key of the version that the caller speaks."""

TOKEN_METADATA_KEY = "woodshed-token"
"""Request metadata key that carries the shared token of a remote engine."""

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""gRPC message limit on both sides: an upload of 25 MiB and its answer fit with room to spare."""

MESSAGE_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)
"""The limit as gRPC takes it, for the server's options and the channel's alike."""

PARENT_FD_VARIABLE = "WOODSHED_PARENT_FD"
"""Names the read end of a pipe whose write end the bot holds: at its end-of-file the engine leaves."""

CONFIGURATION_EXIT_CODE = 78
"""`EX_CONFIG` of sysexits.h: a setting is wrong or missing; restarting won't help."""

HUNG_EXIT_CODE = 75
"""`EX_TEMPFAIL` of sysexits.h: a job hung or the device is lost; everybody has been told, and a restart will help."""

REQUEST_ID_METADATA_KEY = "x-request-id"
"""Request metadata key of an id that leads from an interaction through both logs."""
