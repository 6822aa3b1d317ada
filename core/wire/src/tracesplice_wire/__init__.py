"""The link of a call as it goes from an application to a LiteLLM gateway, for both ends."""

from __future__ import annotations

from tracesplice_wire._baggage import decode_baggage, tag_list
from tracesplice_wire._carrier import MAX_CARRIER, Carried, decode_carrier, encode_carrier
from tracesplice_wire._headers import (
    PROJECT,
    REPORTS,
    TRACEPARENT,
    TRACEPARENT_FORMAT,
    Place,
    decode_project,
    decode_traceparent,
    encode_headers,
    header_values,
    no_parent,
    project_of,
)
from tracesplice_wire._limits import (
    MAX_ENTRIES,
    MAX_LENGTH,
    MAX_VERSION,
    environment,
    number,
    pairs,
    prompt_ref,
    span_id,
    tags,
    text,
    trace_id,
)
from tracesplice_wire._link import Link, PromptRef
from tracesplice_wire._log import STRICT_VARIABLE, fault, guarded, report_fault, warn_once
from tracesplice_wire._metadata import (
    CONTAINER,
    PARENT_ID,
    TEXTS,
    TRACE_ID,
    decode_metadata,
    encode_metadata,
)
from tracesplice_wire._shown import shown, shown_kind, shown_url

__all__ = [
    "CONTAINER",
    "MAX_CARRIER",
    "MAX_ENTRIES",
    "MAX_LENGTH",
    "MAX_VERSION",
    "PARENT_ID",
    "PROJECT",
    "REPORTS",
    "STRICT_VARIABLE",
    "TEXTS",
    "TRACEPARENT",
    "TRACEPARENT_FORMAT",
    "TRACE_ID",
    "Carried",
    "Link",
    "Place",
    "PromptRef",
    "decode_baggage",
    "decode_carrier",
    "decode_metadata",
    "decode_project",
    "decode_traceparent",
    "encode_carrier",
    "encode_headers",
    "encode_metadata",
    "environment",
    "fault",
    "guarded",
    "header_values",
    "no_parent",
    "number",
    "pairs",
    "project_of",
    "prompt_ref",
    "report_fault",
    "shown",
    "shown_kind",
    "shown_url",
    "span_id",
    "tag_list",
    "tags",
    "text",
    "trace_id",
    "warn_once",
]
