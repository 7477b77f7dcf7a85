package dev.corral.guardmodels.image.vp8;

/** Smooths what shows where blocks meet (RFC 6386, section 15). */
final class LoopFilter {

    private static final int SUB_BLOCK = 4;
    /** Edges of macroblocks are smoothed up to larger differences. */
    private static final int MORE_AT_MACROBLOCKS = 4;

    private LoopFilter() {}

    /** One macroblock's luma: only the two samples beside an edge. */
    static void simple(Plane plane, int x, int y, int side, FrameHeader.Smoothing by, boolean inner) {
        int at = plane.at(x, y);
        int stride = plane.stride;
        if (x > 0) {
            simpleEdge(plane, at, 1, stride, side, by.limit() + MORE_AT_MACROBLOCKS);
        }
        if (inner) {
            for (int i = SUB_BLOCK; i < side; i += SUB_BLOCK) {
                simpleEdge(plane, at + i, 1, stride, side, by.limit());
            }
        }
        if (y > 0) {
            simpleEdge(plane, at, stride, 1, side, by.limit() + MORE_AT_MACROBLOCKS);
        }
        if (inner) {
            for (int i = SUB_BLOCK; i < side; i += SUB_BLOCK) {
                simpleEdge(plane, at + i * stride, stride, 1, side, by.limit());
            }
        }
    }

    /** One macroblock in one plane. */
    static void normal(Plane plane, int x, int y, int side, FrameHeader.Smoothing by, boolean inner) {
        int at = plane.at(x, y);
        int stride = plane.stride;
        if (x > 0) {
            edge(plane, at, 1, stride, side, by, true);
        }
        if (inner) {
            for (int i = SUB_BLOCK; i < side; i += SUB_BLOCK) {
                edge(plane, at + i, 1, stride, side, by, false);
            }
        }
        if (y > 0) {
            edge(plane, at, stride, 1, side, by, true);
        }
        if (inner) {
            for (int i = SUB_BLOCK; i < side; i += SUB_BLOCK) {
                edge(plane, at + i * stride, stride, 1, side, by, false);
            }
        }
    }

    private static void simpleEdge(Plane plane, int from, int across, int along, int length, int limit) {
        for (int i = 0, at = from; i < length; i++, at += along) {
            if (isArtefact(plane, at, across, limit)) {
                two(plane, at, across);
            }
        }
    }

    private static void edge(
            Plane plane, int from, int across, int along, int length, FrameHeader.Smoothing by, boolean macroblocks) {
        int limit = by.limit() + (macroblocks ? MORE_AT_MACROBLOCKS : 0);
        for (int i = 0, at = from; i < length; i++, at += along) {
            if (isArtefact(plane, at, across, limit) && isSmooth(plane, at, across, by.interior())) {
                if (differ(plane, at - 2 * across, across, by.contrast()) || differ(plane, at, across, by.contrast())) {
                    two(plane, at, across);
                } else if (macroblocks) {
                    six(plane, at, across);
                } else {
                    four(plane, at, across);
                }
            }
        }
    }

    private static boolean isArtefact(Plane plane, int at, int across, int limit) {
        int near = Math.abs(plane.get(at - across) - plane.get(at));
        int far = Math.abs(plane.get(at - 2 * across) - plane.get(at + across));
        return 4 * near + far <= 2 * limit + 1;
    }

    private static boolean isSmooth(Plane plane, int at, int across, int interior) {
        return !differ(plane, at - 4 * across, across, interior)
                && !differ(plane, at - 3 * across, across, interior)
                && !differ(plane, at - 2 * across, across, interior)
                && !differ(plane, at, across, interior)
                && !differ(plane, at + across, across, interior)
                && !differ(plane, at + 2 * across, across, interior);
    }

    /** Whether a sample and the next one differ by more. */
    private static boolean differ(Plane plane, int at, int across, int more) {
        return Math.abs(plane.get(at) - plane.get(at + across)) > more;
    }

    private static void two(Plane plane, int at, int across) {
        int step = 3 * (plane.get(at) - plane.get(at - across))
                + Math.clamp(plane.get(at - 2 * across) - plane.get(at + across), -128, 127);
        plane.add(at - across, eighth(step + 3));
        plane.add(at, -eighth(step + 4));
    }

    private static void four(Plane plane, int at, int across) {
        int step = 3 * (plane.get(at) - plane.get(at - across));
        int right = eighth(step + 4);
        plane.add(at - across, eighth(step + 3));
        plane.add(at, -right);
        plane.add(at - 2 * across, (right + 1) >> 1);
        plane.add(at + across, -((right + 1) >> 1));
    }

    private static void six(Plane plane, int at, int across) {
        int step = Math.clamp(
                3 * (plane.get(at) - plane.get(at - across))
                        + Math.clamp(plane.get(at - 2 * across) - plane.get(at + across), -128, 127),
                -128,
                127);
        for (int i = 0; i < 3; i++) {
            int change = (9 * (3 - i) * step + 63) >> 7;
            plane.add(at - (i + 1) * across, change);
            plane.add(at + i * across, -change);
        }
    }

    private static int eighth(int step) {
        return Math.clamp(step >> 3, -16, 15);
    }
}
