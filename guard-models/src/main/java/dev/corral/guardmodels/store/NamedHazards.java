package dev.corral.guardmodels.store;

/** Which hazards of an unsafe content a guard is to name. */
public enum NamedHazards {
    /** The one that it would name first, with the probabilities of all the others to be the first. */
    FIRST,

    /** Every one that it would list. An unsafe content costs a step for each hazard of the list. */
    ALL
}
