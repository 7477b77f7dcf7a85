package dev.corral.guardmodels.image.vp8;

/** What blocks look like by the samples above them and on their left (RFC 6386, section 12). */
final class Prediction {

    /** Modes of sub-blocks; of whole blocks the first four of them. */
    static final int DC = 0;

    static final int TRUE_MOTION = 1;
    static final int VERTICAL = 2;
    static final int HORIZONTAL = 3;
    static final int RIGHT_DOWN = 4;
    static final int VERTICAL_RIGHT = 5;
    static final int LEFT_DOWN = 6;
    static final int VERTICAL_LEFT = 7;
    static final int HORIZONTAL_DOWN = 8;
    static final int HORIZONTAL_UP = 9;

    private static final int SIDE = 4;
    /** Places in the border of a sub-block: its left side from below, the corner, what is above and to the right. */
    private static final int CORNER = 4;

    static final int BORDER = CORNER + 1 + 2 * SIDE;

    private Prediction() {}

    /** A square of 8 or 16 samples. */
    static void whole(Plane plane, int x, int y, int side, int mode) {
        int at = plane.at(x, y);
        int stride = plane.stride;
        switch (mode) {
            case DC -> fill(plane, at, side, average(plane, at, side, x > 0, y > 0));
            case TRUE_MOTION -> {
                int corner = plane.get(at - stride - 1);
                for (int row = at; row < at + side * stride; row += stride) {
                    int left = plane.get(row - 1) - corner;
                    for (int i = 0; i < side; i++) {
                        plane.setClipped(row + i, left + plane.get(at - stride + i));
                    }
                }
            }
            case VERTICAL -> {
                for (int row = at; row < at + side * stride; row += stride) {
                    plane.copy(at - stride, row, side);
                }
            }
            case HORIZONTAL -> {
                for (int row = at; row < at + side * stride; row += stride) {
                    plane.fill(row, side, plane.get(row - 1));
                }
            }
            default -> throw new IllegalArgumentException("the mode of a whole block must be 0 to 3: " + mode);
        }
    }

    /** The average of what there is: nothing beyond the picture counts. */
    private static int average(Plane plane, int at, int side, boolean hasLeft, boolean hasAbove) {
        if (!hasLeft && !hasAbove) {
            return 128;
        }
        int count = (hasLeft ? side : 0) + (hasAbove ? side : 0);
        int sum = count / 2;
        for (int i = 0; i < side; i++) {
            sum += (hasLeft ? plane.get(at + i * plane.stride - 1) : 0)
                    + (hasAbove ? plane.get(at - plane.stride + i) : 0);
        }
        return sum / count;
    }

    private static void fill(Plane plane, int at, int side, int sample) {
        for (int i = 0; i < side; i++) {
            plane.fill(at + i * plane.stride, side, sample);
        }
    }

    /**
     * A square of 4 samples.
     *
     * @param e its border, {@link #BORDER} samples
     */
    static void sub(Plane plane, int at, int mode, int[] e) {
        switch (mode) {
            case DC -> {
                int sum = SIDE;
                for (int i = 0; i < SIDE; i++) {
                    sum += e[i] + e[CORNER + 1 + i];
                }
                fill(plane, at, SIDE, sum >> 3);
            }
            case TRUE_MOTION ->
                each(plane, at, (x, y) -> Plane.clip(e[CORNER - 1 - y] + e[CORNER + 1 + x] - e[CORNER]));
            case VERTICAL -> each(plane, at, (x, _) -> smooth(e, CORNER + 1 + x));
            case HORIZONTAL ->
                each(plane, at, (_, y) -> y == SIDE - 1 ? smooth(e[1], e[0], e[0]) : smooth(e, CORNER - 1 - y));
            case RIGHT_DOWN -> each(plane, at, (x, y) -> smooth(e, CORNER + x - y));
            case LEFT_DOWN ->
                each(
                        plane,
                        at,
                        (x, y) -> x + y == 2 * SIDE - 2
                                ? smooth(e[BORDER - 2], e[BORDER - 1], e[BORDER - 1])
                                : smooth(e, CORNER + 2 + x + y));
            case VERTICAL_RIGHT -> each(plane, at, (x, y) -> verticalRight(e, x, y));
            case HORIZONTAL_DOWN -> each(plane, at, (x, y) -> horizontalDown(e, x, y));
            case VERTICAL_LEFT -> each(plane, at, (x, y) -> verticalLeft(e, x, y));
            case HORIZONTAL_UP -> each(plane, at, (x, y) -> horizontalUp(e, x, y));
            default -> throw new IllegalArgumentException("the mode of a sub-block must be 0 to 9: " + mode);
        }
    }

    private interface Sample {
        int at(int x, int y);
    }

    private static void each(Plane plane, int at, Sample sample) {
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                plane.set(at + y * plane.stride + x, sample.at(x, y));
            }
        }
    }

    /** Along a line that goes down two samples for each to the right. */
    private static int verticalRight(int[] e, int x, int y) {
        int along = 2 * x - y;
        if (along < -1) {
            return smooth(e, CORNER + along + 1);
        }
        int i = CORNER + ((along + 1) >> 1);
        return (along & 1) == 0 ? middle(e[i], e[i + 1]) : smooth(e, i);
    }

    /** Along a line that goes two samples to the right for each down. */
    private static int horizontalDown(int[] e, int x, int y) {
        int along = 2 * y - x;
        if (along < -1) {
            return smooth(e, CORNER - along - 1);
        }
        int i = CORNER - ((along + 1) >> 1);
        return (along & 1) == 0 ? middle(e[i - 1], e[i]) : smooth(e, i);
    }

    /** Along a line that goes down two samples for each to the left; the last two samples leave it. */
    private static int verticalLeft(int[] e, int x, int y) {
        int i = CORNER + 1 + x + (y >> 1);
        if (x == SIDE - 1 && y >= 2) {
            return smooth(e, i + y - 1);
        }
        return (y & 1) == 0 ? middle(e[i], e[i + 1]) : smooth(e, i + 1);
    }

    /** Along a line that goes two samples to the right for each up; beyond the border is its last sample. */
    private static int horizontalUp(int[] e, int x, int y) {
        int along = 2 * y + x;
        int i = CORNER - 1 - (along >> 1);
        if (along > 5) {
            return e[0];
        }
        if ((along & 1) == 0) {
            return middle(e[i], e[i - 1]);
        }
        return along == 5 ? smooth(e[1], e[0], e[0]) : smooth(e, i - 1);
    }

    private static int smooth(int[] e, int i) {
        return smooth(e[i - 1], e[i], e[i + 1]);
    }

    private static int smooth(int a, int b, int c) {
        return (a + 2 * b + c + 2) >> 2;
    }

    private static int middle(int a, int b) {
        return (a + b + 1) >> 1;
    }
}
