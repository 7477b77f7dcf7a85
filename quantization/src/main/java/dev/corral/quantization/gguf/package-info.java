/** GGUF, the file format of llama.cpp and Ollama: read by memory map, and written. */
@NullMarked
package dev.corral.quantization.gguf;

import org.jspecify.annotations.NullMarked;
