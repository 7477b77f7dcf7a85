/** Images: decoded within limits, and prepared for a vision guard exactly as the model's reference does. */
@NullMarked
package dev.corral.guardmodels.image;

import org.jspecify.annotations.NullMarked;
