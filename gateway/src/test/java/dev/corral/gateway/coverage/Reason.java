package dev.corral.gateway.coverage;

import java.util.regex.Pattern;

/**
 * Why a text passes unjudged in some places.
 *
 * @param name for the table's rows
 * @param surfaces their headings, as an expression
 * @param places their names, as an expression
 * @param why told to readers of the table
 */
record Reason(String name, Pattern surfaces, Pattern places, String why) {

    Reason(String name, String surfaces, String places, String why) {
        this(name, Pattern.compile(surfaces), Pattern.compile(places), why);
    }

    boolean isFor(Surface surface, Place place) {
        return surfaces.matcher(surface.heading()).matches()
                && places.matcher(place.name()).matches();
    }
}
