package dev.corral.gateway.testing;

import dev.corral.gateway.audit.AuditEvent;
import dev.corral.gateway.audit.AuditSink;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Keeps events in memory; can be closed to exchanges, as a sink is whose disk is full. */
public final class RecordingAuditSink implements AuditSink {

    public final List<AuditEvent> events = new CopyOnWriteArrayList<>();
    public volatile boolean open = true;

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public void record(AuditEvent event) {
        events.add(event);
    }
}
