package dev.corral.quantization.executorch;

import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.executorch.Method.Value;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Runs a method on terms in place of numbers, to find out what it computes. Tensors have no names in a program, and what
 * an exporter puts first is its own affair: what a matrix is for shows only in what is done with its products. Each step
 * must be one of those that Llama decoders were seen to consist of; any other is refused by name, so that no program is
 * taken for what it is not.
 */
@SuppressWarnings("ReferenceEquality") // what terms are told by
final class Reading {

    private static final String XNNPACK = "XnnpackBackend";
    private static final int INTERLEAVED_RANK = 5;
    private static final int HEADS_RANK = 4;
    private static final int MOST_CALLS = 2000;

    /** Equal weights may be stored once. */
    private static final long MOST_SHARED = 2;

    private final ProgramFile program;
    private final Method method;
    private final Map<Integer, Term> computed = new HashMap<>();
    private final Map<Integer, Term> caches = new HashMap<>();

    /** What was computed last in a place: in later versions a tensor in another shape is only another value there. */
    private final Map<Value.Place, Integer> kept = new HashMap<>();

    private int number;
    private int calls;
    private long weightBytes;
    private boolean embedded;

    private Reading(ProgramFile program, Method method) {
        this.program = program;
        this.method = method;
    }

    /** What the last output of a method is. */
    static Term of(ProgramFile program, Method method) {
        Reading reading = new Reading(program, method);
        if (method.inputs().size() != 2 || method.outputs().size() != 1) {
            throw new CheckpointException(
                    "%s: the method '%s' has %d inputs and %d outputs, where tokens and a place are to go in and logits to come out; export it with a key/value cache"
                            .formatted(
                                    program.origin(),
                                    method.name(),
                                    method.inputs().size(),
                                    method.outputs().size()));
        }
        if (!reading.shape(method.inputs().get(1)).equals(List.of(1L))) {
            throw new CheckpointException("%s: the second input of '%s' is not one place, but has the shape %s"
                    .formatted(
                            program.origin(),
                            method.name(),
                            reading.shape(method.inputs().get(1))));
        }
        reading.computed.put(method.inputs().get(0), new Term.Tokens());
        reading.computed.put(method.inputs().get(1), new Term.Start());
        for (Method.Step step : method.steps()) {
            reading.take(step);
            reading.number++;
        }
        return reading.term(method.outputs().getFirst());
    }

    private void take(Method.Step step) {
        switch (step) {
            case Method.Step.Call call -> call(call);
            case Method.Step.Kernel kernel -> {
                int size = kernel.arguments().size();
                if (size < 2) {
                    throw unknown(kernel.operator());
                }
                Term result = result(kernel.operator(), kernel.arguments());
                put(kernel.arguments().get(size - 1), result);
            }
        }
    }

    private void call(Method.Step.Call call) {
        if (call.delegate() < 0 || call.delegate() >= method.delegates().size()) {
            throw refused("calls delegate %d of %d"
                    .formatted(call.delegate(), method.delegates().size()));
        }
        Method.Delegate delegate = method.delegates().get(call.delegate());
        if (!delegate.backend().equals(XNNPACK)) {
            throw refused("calls the delegate '%s'; only '%s' is supported, as for CPUs"
                    .formatted(delegate.backend(), XNNPACK));
        }
        calls++;
        if (calls > MOST_CALLS) {
            throw refused("is one of more than %d calls of delegates".formatted(MOST_CALLS));
        }
        String place = "delegate " + call.delegate();
        XnnPayload payload = XnnPayload.read(program, program.segment(delegate.segment(), place), place);
        for (XnnPayload.Linear linear : payload.linears()) {
            int in = argument(call.arguments(), linear.input());
            int out = argument(call.arguments(), linear.output());
            QuantisedMatrix weights = linear.weights();
            if (last(in) != weights.columns() || last(out) != weights.rows()) {
                throw refused("multiplies %d values with a matrix of %d columns, for %d values with one of %d rows"
                        .formatted(last(in), weights.columns(), last(out), weights.rows()));
            }
            weightBytes += weights.numbers().byteSize() + weights.scales().byteSize();
            if (weightBytes > MOST_SHARED * program.bytes()) {
                throw refused("has weights that with those before are more than the file holds");
            }
            put(out, new Term.Product(weights, term(in)));
        }
    }

    private Term result(String operator, List<Integer> in) {
        return switch (operator) {
            case "aten::full" -> full(in, operator);
            case "aten::clone", "aten::lift_fresh_copy", "executorch_prim::et_view" -> term(at(in, 0));
            case "aten::squeeze_copy", "aten::unsqueeze_copy" -> term(at(in, 0));
            case "aten::sym_size" -> term(at(in, 0)) instanceof Term.Tokens ? new Term.Count() : fail(operator);
            case "aten::select_copy" -> select(in, operator);
            case "aten::_local_scalar_dense" -> term(at(in, 0)) instanceof Term.Start start ? start : fail(operator);
            case "executorch_prim::add" ->
                term(at(in, 0)) instanceof Term.Start && term(at(in, 1)) instanceof Term.Count
                        ? new Term.End()
                        : fail(operator);
            case "aten::slice_copy" -> slice(in, operator);
            case "aten::slice_scatter" ->
                whole(at(in, 2)) == 0
                                && whole(at(in, 3)) == 0
                                && whole(at(in, 4)) == Long.MAX_VALUE
                                && whole(at(in, 5)) == 1
                        ? term(at(in, 1))
                        : fail(operator);
            case "quantized_decomposed::embedding_4bit" -> embedding(in, operator);
            case "aten::mul" -> multiply(term(at(in, 0)), term(at(in, 1)), operator);
            case "aten::mean" -> mean(in, operator);
            case "aten::add" -> whole(at(in, 2)) == 1 ? add(term(at(in, 0)), term(at(in, 1))) : fail(operator);
            case "aten::sub" ->
                whole(at(in, 2)) == 1 ? subtract(term(at(in, 0)), term(at(in, 1)), operator) : fail(operator);
            case "aten::rsqrt" ->
                term(at(in, 0)) instanceof Term.Shifted(Term x, Term.Constant epsilon)
                        ? new Term.Inverse(x, epsilon)
                        : fail(operator);
            case "aten::cat" -> join(in, operator);
            case "aten::sigmoid" -> new Term.Sigmoid(term(at(in, 0)));
            case "llama::update_cache" -> {
                if (!(computed.get(at(in, 2)) instanceof Term.Start)) {
                    throw refused("writes to a cache elsewhere than at the first token's place");
                }
                caches.put(at(in, 1), term(at(in, 0)));
                yield new Term.Count();
            }
            case "llama::sdpa_with_kv_cache" -> {
                requirePlain(in, 5, 7, operator);
                yield attention(in, term(at(in, 1)), at(in, 1), term(at(in, 2)), operator);
            }
            case "llama::custom_sdpa" -> {
                requirePlain(in, 3, 4, operator);
                Term key = caches.get(at(in, 1));
                Term value = caches.get(at(in, 2));
                if (key == null || value == null) {
                    throw refused("attends to a cache that nothing was written to");
                }
                yield attention(in, key, at(in, 1), value, operator);
            }
            case "aten::index_put" -> scatter(in, operator);
            case "quantized_decomposed::embedding_byte", "quantized_decomposed::embedding_2bit" ->
                throw refused("is " + operator + "; only an embedding of 4 bits is supported");
            default -> fail(operator);
        };
    }

    private Term full(List<Integer> in, String operator) {
        return value(at(in, 1)) instanceof Value.Real(double number) && number == Double.NEGATIVE_INFINITY
                ? new Term.Nothing(last(at(in, 2)))
                : fail(operator);
    }

    private Term select(List<Integer> in, String operator) {
        Term x = term(at(in, 0));
        long dimension = whole(at(in, 1));
        long index = whole(at(in, 2));
        if (x instanceof Term.Start && dimension == 0 && (index == 0 || index == -1)) {
            return x;
        }
        return dimension == 1 && index == -1 ? new Term.Last(x) : fail(operator);
    }

    private Term slice(List<Integer> in, String operator) {
        Term x = term(at(in, 0));
        long dimension = whole(at(in, 1));
        if (whole(at(in, 4)) != 1) {
            return fail(operator);
        }
        if (x instanceof Term.Constant table) {
            return dimension == 0
                            && computed.get(at(in, 2)) instanceof Term.Start
                            && computed.get(at(in, 3)) instanceof Term.End
                    ? new Term.Angles(table)
                    : fail(operator);
        }
        long from = whole(at(in, 2));
        long to = whole(at(in, 3));
        if (from == 0 && to == Long.MAX_VALUE) {
            return x;
        }
        List<Long> shape = shape(at(in, 0));
        boolean pairs = shape.size() == INTERLEAVED_RANK && shape.getLast() == 2;
        return pairs && dimension == INTERLEAVED_RANK - 1 && (from == 0 || from == 1) && to == from + 1
                ? new Term.Half(x, from == 1, shape.get(2), shape.get(3))
                : fail(operator);
    }

    private Term embedding(List<Integer> in, String operator) {
        if (!(term(at(in, 0)) instanceof Term.Constant(int _, Value.Array numbers))
                || !(term(at(in, 1)) instanceof Term.Constant(int _, Value.Array scales))
                || !(value(at(in, 2)) instanceof Value.None)
                || !(term(at(in, 5)) instanceof Term.Tokens)
                || numbers.type() != Value.Array.UINT8
                || numbers.shape().size() != 2) {
            return fail(operator);
        }
        if (embedded) {
            throw refused("is a second embedding");
        }
        embedded = true;
        QuantisedMatrix.ScaleType type = switch (scales.type()) {
            case Value.Array.FLOAT16 -> QuantisedMatrix.ScaleType.FLOAT16;
            case Value.Array.FLOAT32 -> QuantisedMatrix.ScaleType.FLOAT32;
            default -> throw refused("has scales of type " + scales.type() + ", which is not supported");
        };
        int rows = Math.toIntExact(numbers.shape().getFirst());
        int columns = Math.toIntExact(Math.min(2 * numbers.shape().get(1), Integer.MAX_VALUE));
        long groups = scales.shape().size() == 2 ? scales.shape().get(1) : 1;
        if (groups < 1 || columns % groups != 0) {
            throw refused("has scales of the shape %s for a matrix of the shape %s"
                    .formatted(scales.shape(), numbers.shape()));
        }
        return new Term.Embedded(new QuantisedMatrix(
                program.origin() + ": the embedding",
                rows,
                columns,
                Math.toIntExact(columns / groups),
                false,
                program.constant(numbers, "the embedding"),
                type,
                program.constant(scales, "the embedding's scales")));
    }

    private Term multiply(Term left, Term right, String operator) {
        if (left == right) {
            return new Term.Square(left);
        }
        return switch (left) {
            case Term.Half half when right instanceof Term.Angles(Term.Constant table) -> new Term.Turn(half, table);
            case Term.Scaled(Term x, Term.Constant epsilon)
            when right instanceof Term.Constant weights
                    && weights.tensor().shape().size() == 1 -> new Term.Normal(x, weights, epsilon);
            case Term.Silu gate -> new Term.Gated(gate, right);
            default -> {
                if (right instanceof Term.Inverse(Term x, Term.Constant epsilon) && x == left) {
                    yield new Term.Scaled(x, epsilon);
                }
                yield right instanceof Term.Sigmoid(Term x) && x == left ? new Term.Silu(x) : fail(operator);
            }
        };
    }

    private Term mean(List<Integer> in, String operator) {
        List<Long> shape = shape(at(in, 0));
        List<Long> result = shape(in.getLast());
        boolean overLast = !shape.isEmpty()
                && shape.size() == result.size()
                && result.getLast() == 1
                && shape.subList(0, shape.size() - 1).equals(result.subList(0, shape.size() - 1));
        return overLast && term(at(in, 0)) instanceof Term.Square(Term x) ? new Term.MeanSquare(x) : fail(operator);
    }

    private Term add(Term left, Term right) {
        if (left instanceof Term.MeanSquare(Term x) && right instanceof Term.Constant epsilon) {
            return new Term.Shifted(x, epsilon);
        }
        if (left instanceof Term.Turn(Term.Half even, Term.Constant sines)
                && right instanceof Term.Turn(Term.Half odd, Term.Constant cosines)
                && !even.odd()
                && odd.odd()
                && even.x() == odd.x()) {
            return new Term.Turned(even.x(), true, even.heads(), even.pairs(), cosines, sines);
        }
        return new Term.Sum(left, right);
    }

    private Term subtract(Term left, Term right, String operator) {
        return left instanceof Term.Turn(Term.Half even, Term.Constant cosines)
                        && right instanceof Term.Turn(Term.Half odd, Term.Constant sines)
                        && !even.odd()
                        && odd.odd()
                        && even.x() == odd.x()
                ? new Term.Turned(even.x(), false, even.heads(), even.pairs(), cosines, sines)
                : fail(operator);
    }

    private Term join(List<Integer> in, String operator) {
        List<Integer> parts = several(at(in, 0));
        List<Long> shape = shape(in.getLast());
        boolean pairs = parts.size() == 2 && shape.size() == INTERLEAVED_RANK && shape.getLast() == 2;
        return pairs
                        && term(parts.get(0)) instanceof Term.Turned even
                        && term(parts.get(1)) instanceof Term.Turned odd
                        && !even.odd()
                        && odd.odd()
                        && even.x() == odd.x()
                        && even.cosines().value() == odd.cosines().value()
                        && even.sines().value() == odd.sines().value()
                ? new Term.Rotated(even.x(), even.heads(), even.pairs(), even.cosines(), even.sines())
                : fail(operator);
    }

    /**
     * Checks that attention is causal, from the tokens' place on, with no mask, no dropout and the usual scale.
     *
     * @param place which argument is the place
     * @param first which is the mask; the others follow it
     */
    private void requirePlain(List<Integer> in, int place, int first, String operator) {
        boolean plain = computed.get(at(in, place)) instanceof Term.Start
                && value(at(in, first)) instanceof Value.None
                && value(at(in, first + 1)) instanceof Value.Real(double dropout)
                && dropout == 0
                && value(at(in, first + 2)) instanceof Value.Whole(long causal)
                && causal == 1
                && value(at(in, first + 3)) instanceof Value.None;
        if (!plain) {
            throw refused("is " + operator
                    + " with a mask, with dropout, with a scale of its own, without causality or in another place");
        }
    }

    private Term attention(List<Integer> in, Term key, int keys, Term value, String operator) {
        List<Long> query = shape(at(in, 0));
        List<Long> kept = shape(keys);
        boolean heads = query.size() == HEADS_RANK
                && kept.size() == HEADS_RANK
                && query.get(3).equals(kept.get(3))
                && term(at(in, 0)) instanceof Term.Rotated rotatedQuery
                && key instanceof Term.Rotated rotatedKey
                && rotatedQuery.heads() == query.get(2)
                && rotatedKey.heads() == kept.get(2)
                && 2 * rotatedQuery.pairs() == query.get(3)
                && 2 * rotatedKey.pairs() == kept.get(3);
        return heads ? new Term.Attention(term(at(in, 0)), key, value) : fail(operator);
    }

    private Term scatter(List<Integer> in, String operator) {
        List<Integer> indices = several(at(in, 1));
        return indices.size() == 2
                        && indices.getFirst() == -1
                        && whole(at(in, 3)) == 0
                        && term(at(in, 0)) instanceof Term.Nothing others
                        && term(indices.getLast()) instanceof Term.Constant tokens
                ? new Term.Scattered(others, tokens, term(at(in, 2)))
                : fail(operator);
    }

    private void put(int value, Term term) {
        computed.put(value, term);
        if (value(value) instanceof Value.Array array) {
            array.place().ifPresent(place -> kept.put(place, value));
        }
    }

    /** What a value is. */
    private Term term(int value) {
        Term term = computed.get(value);
        if (term != null) {
            return term;
        }
        if (value(value) instanceof Value.Array array && array.isConstant()) {
            Term.Constant constant = new Term.Constant(value, array);
            computed.put(value, constant);
            return constant;
        }
        if (value(value) instanceof Value.Array array) {
            Optional<Term> same = array.place()
                    .flatMap(place -> Optional.ofNullable(kept.get(place)))
                    .filter(other -> elements(other) == elements(value))
                    .map(computed::get);
            if (same.isPresent()) {
                return same.get();
            }
        }
        throw refused("uses value %d before it is computed".formatted(value));
    }

    private Value value(int value) {
        return program.value(method, value);
    }

    /** A whole number that stands in the program; what is computed is none. */
    private long whole(int value) {
        if (!computed.containsKey(value) && value(value) instanceof Value.Whole(long number)) {
            return number;
        }
        throw refused("needs a whole number where it has value %d".formatted(value));
    }

    private List<Integer> several(int value) {
        return value(value) instanceof Value.Several(List<Integer> values) ? values : List.of();
    }

    private List<Long> shape(int value) {
        return value(value) instanceof Value.Array array ? array.shape() : List.of();
    }

    private long elements(int value) {
        return shape(value).stream().reduce(1L, (a, b) -> a * b);
    }

    private long last(int value) {
        List<Long> shape = shape(value);
        return shape.isEmpty() ? 0 : shape.getLast();
    }

    private int at(List<Integer> arguments, int index) {
        return argument(arguments, index);
    }

    private int argument(List<Integer> arguments, long index) {
        if (index >= arguments.size()) {
            throw refused("has %d arguments and uses number %d".formatted(arguments.size(), index));
        }
        return arguments.get((int) index);
    }

    private Term fail(String operator) {
        throw unknown(operator);
    }

    private CheckpointException unknown(String operator) {
        return refused(
                "is %s in a place where no Llama decoder is known to have it; supported are exports of ExecuTorch's"
                                .formatted(operator)
                        + " Llama example, quantised as 8da4w with an embedding of 4 bits, with a key/value cache and"
                        + " sdpa_with_kv_cache, from versions 0.4, 0.5 and 1.5");
    }

    private CheckpointException refused(String what) {
        return new CheckpointException(
                "%s: instruction %d of '%s' %s".formatted(program.origin(), number, method.name(), what));
    }
}
