/** Key frames of VP8 (RFC 6386), the lossy pictures of WebP, to the same pixels as libwebp. */
@NullMarked
package dev.corral.guardmodels.image.vp8;

import org.jspecify.annotations.NullMarked;
