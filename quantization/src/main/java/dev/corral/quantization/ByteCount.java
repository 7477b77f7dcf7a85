package dev.corral.quantization;

import java.util.Locale;

/** Sizes for people, in powers of ten as disks are sold and downloads are counted. */
record ByteCount(long bytes) {

    @Override
    public String toString() {
        if (bytes < 1000) {
            return bytes + " B";
        }
        double scaled = bytes;
        int unit = -1;
        while (scaled >= 999.5) {
            scaled /= 1000;
            unit++;
        }
        String format = scaled < 9.95 ? "%.1f %sB" : "%.0f %sB";
        return String.format(Locale.ROOT, format, scaled, "kMGTPE".charAt(unit));
    }
}
