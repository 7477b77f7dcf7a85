package dev.corral.quantization.executorch;

import java.util.List;
import java.util.Optional;

/**
 * One method of a program: numbered values, and what is done with them, one after the other.
 *
 * @param values by number
 * @param inputs numbers of values
 * @param outputs numbers of values
 * @param steps in the order of execution
 * @param delegates by number
 */
record Method(
        String name,
        List<Value> values,
        List<Integer> inputs,
        List<Integer> outputs,
        List<Step> steps,
        List<Delegate> delegates) {

    Method {
        values = List.copyOf(values);
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        steps = List.copyOf(steps);
        delegates = List.copyOf(delegates);
    }

    /** What a number stands for before anything is run. */
    sealed interface Value {

        /** Nothing: an option that is not used. */
        record None() implements Value {}

        /** A whole number, a flag (0 or 1); 0, too, where the program computes it. */
        record Whole(long number) implements Value {}

        record Real(double number) implements Value {}

        /** Numbers of other values; -1 for none. */
        record Several(List<Integer> values) implements Value {
            public Several {
                values = List.copyOf(values);
            }
        }

        /**
         * A tensor.
         *
         * @param type number of the element type in ExecuTorch's schema
         * @param shape outermost dimension first; the largest where it depends on the input
         * @param constant where the program has its elements; 0 where it computes them
         * @param place where the program keeps what it computes; others may be kept there before, after, or as the same
         *     elements in another shape
         */
        record Array(int type, List<Long> shape, int constant, Optional<Place> place) implements Value {

            static final int UINT8 = 0;
            static final int INT64 = 4;
            static final int FLOAT16 = 5;
            static final int FLOAT32 = 6;

            public Array {
                shape = List.copyOf(shape);
            }

            boolean isConstant() {
                return constant != 0;
            }
        }

        /** A place in the memory that a program has while it runs. */
        record Place(long memory, long low, long high) {}

        /** Something that no guard's program was seen to need. */
        record Other(int tag) implements Value {}
    }

    /** Something that is done. */
    sealed interface Step {

        /** Numbers of values, -1 for none. */
        List<Integer> arguments();

        /** An operator of the runtime; the result is the last argument. */
        record Kernel(String operator, List<Integer> arguments) implements Step {
            public Kernel {
                arguments = List.copyOf(arguments);
            }
        }

        /** A part of the program that another library runs. */
        record Call(int delegate, List<Integer> arguments) implements Step {
            public Call {
                arguments = List.copyOf(arguments);
            }
        }
    }

    /** What another library runs, in its own format. */
    record Delegate(String backend, long segment) {}
}
