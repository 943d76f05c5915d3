"""Metrics of engines in Prometheus' text format, in AIMA's own vocabulary."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aima.ports.engine_lifecycle import EngineMetrics

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{.*\})?\s+(\S+)")
_SHARES = {"kv_cache_usage_ratio"}
"""Of these the largest counts; all else is added up over models and parts."""

VLLM = {
    "requests_running": "vllm:num_requests_running",
    "requests_waiting": "vllm:num_requests_waiting",
    "kv_cache_usage_ratio": "vllm:kv_cache_usage_perc",
    "prompt_tokens": "vllm:prompt_tokens",
    "generation_tokens": "vllm:generation_tokens",
    "preemptions": "vllm:num_preemptions",
    "requests_succeeded": "vllm:request_success",
}
SGLANG = {
    "requests_running": "sglang:num_running_reqs",
    "requests_waiting": "sglang:num_queue_reqs",
    "kv_cache_usage_ratio": "sglang:token_usage",
    "prompt_tokens": "sglang:prompt_tokens",
    "generation_tokens": "sglang:generation_tokens",
    "preemptions": "sglang:num_retracted_requests",
}
TGI = {
    "requests_running": "tgi_batch_current_size",
    "requests_waiting": "tgi_queue_size",
    "requests_succeeded": "tgi_request_success",
}
TEI = {
    "requests_waiting": "te_queue_size",
    "requests_succeeded": "te_request_success",
}
LLAMA_CPP = {
    "requests_running": "llamacpp:requests_processing",
    "requests_waiting": "llamacpp:requests_deferred",
    "prompt_tokens": "llamacpp:prompt_tokens",
    "generation_tokens": "llamacpp:tokens_predicted",
}


def metrics_in(text: str, names: Mapping[str, str]) -> EngineMetrics:
    """Pick out what ``names`` says, by an engine's own names with or without ``_total``."""
    ours = {theirs: name for name, theirs in names.items()}
    found: dict[str, float] = {}
    for line in text.splitlines():
        sample = _SAMPLE.match(line)
        name = ours.get(sample[1].removesuffix("_total")) if sample else None
        if sample is None or name is None:
            continue
        try:
            value = float(sample[2])
        except ValueError:
            continue
        so_far = found.get(name, 0.0)
        found[name] = max(so_far, value) if name in _SHARES else so_far + value
    return EngineMetrics.model_validate(found)
