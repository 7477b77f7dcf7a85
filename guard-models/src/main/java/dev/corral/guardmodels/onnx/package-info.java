/** The only place that knows ONNX Runtime. */
@NullMarked
package dev.corral.guardmodels.onnx;

import org.jspecify.annotations.NullMarked;
