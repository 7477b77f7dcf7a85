"""Serves a GGUF file with llama.cpp's own server, exactly: keys and values as float32. Says where, and ends with its input."""

import sys

import xllamacpp

settings = xllamacpp.CommonParams()
settings.model.path = sys.argv[1]
settings.hostnames = ["127.0.0.1"]
settings.port = 0
settings.n_ctx = 4096
settings.n_parallel = 1
settings.cpuparams.n_threads = 1
settings.warmup = False
settings.prefill_assistant = False  # or the last message, which is to be judged, would be continued
settings.cache_type_k = xllamacpp.ggml_type.GGML_TYPE_F32
settings.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
settings.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
server = xllamacpp.Server(settings)
print(server.listening_address, flush=True)
sys.stdin.read()
