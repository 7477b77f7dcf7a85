package dev.corral.gateway.moderation;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import java.util.regex.Pattern;

/** Whether a request may have tools called, whose effects nobody takes back. */
final class ToolUse {

    /** Where APIs name tools, those of the upstream's own included. */
    private static final Pattern DEFINED = Pattern.compile(
            "(tools?|toolgroups?|functions?|tool_choice|tool_config|function_call|mcp_servers|plugins|web_search_options)"
                    + "\\b.*",
            Pattern.DOTALL);

    private ToolUse() {}

    /** Whether it defines tools, or goes on after some were called. */
    static boolean in(Conversation conversation) {
        return conversation.turns().stream()
                .flatMap(turn -> turn.parts().stream())
                .anyMatch(ToolUse::isOfTool);
    }

    private static boolean isOfTool(Part part) {
        return part instanceof Part.ToolCallPart
                || part instanceof Part.ToolResultPart
                || DEFINED.matcher(part.where()).matches();
    }
}
