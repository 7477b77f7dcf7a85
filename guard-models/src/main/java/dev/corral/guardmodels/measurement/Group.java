package dev.corral.guardmodels.measurement;

import java.util.List;
import java.util.Map;

/**
 * Rows of one kind, and how well they were told apart.
 *
 * @param name of the set, the language or the hazard
 * @param figures by candidate; a measure that the rows do not define is left out
 * @param difference of the second candidate from the first; empty where there is one
 * @param same share of rows on which both say the same, each at its threshold; 1 where there is one
 */
public record Group(
        String name,
        int rows,
        int unsafe,
        List<Map<Measure, Estimate>> figures,
        Map<Measure, Estimate> difference,
        double same) {}
