/** ExecuTorch programs: what Meta publishes for phones, read from a memory map. */
@NullMarked
package dev.corral.quantization.executorch;

import org.jspecify.annotations.NullMarked;
