package dev.corral.gateway.audit;

/** Where events go. Safe for use by many threads, and never keeps them waiting. */
public interface AuditSink {

    /** Whether exchanges may begin: false where their events could not be kept and traffic is to stop for that. */
    boolean isOpen();

    /** Takes the event of an exchange that is over. */
    void record(AuditEvent event);

    /** Keeps nothing. */
    AuditSink NONE = new AuditSink() {
        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void record(AuditEvent event) {}
    };
}
