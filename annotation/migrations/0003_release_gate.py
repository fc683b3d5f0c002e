"""A release and an open blocker, never both; a finished pass and what was released from it never change.

The triggers of releases and of findings lock the row of the pass first, so that of two concurrent transactions the
second one sees what the first one did. That holds only where a statement sees what was committed while it waited for
the lock, so every isolation level but READ COMMITTED is refused.
"""

from django.db import migrations

REFUSE = "USING ERRCODE = 'integrity_constraint_violation'"

# A blocker is closed by a waiver that still holds, or by a person who looked and found the data right as they are.
# A fix that changes the truth does not make the data of this pass right: it takes a new pass to see it.
FUNCTIONS = f"""
CREATE OR REPLACE FUNCTION concord_need_read_committed() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'Releases and findings are written at READ COMMITTED, not %: their lock must see what others '
            'have just committed.', upper(current_setting('transaction_isolation')) {REFUSE};
    END IF;
END $$;

CREATE OR REPLACE FUNCTION concord_release_needs_clean_pass() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    blockers bigint;
BEGIN
    PERFORM concord_need_read_committed();
    PERFORM 1 FROM annotation_consistencypass
        WHERE id = NEW.consistency_pass_id AND study_id = NEW.study_id AND state = 'done' FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'A release needs a finished consistency pass of its own study.' {REFUSE};
    END IF;
    SELECT count(*) INTO blockers FROM annotation_finding
        WHERE consistency_pass_id = NEW.consistency_pass_id AND severity = 'blocker' AND NOT (
            (state = 'waived' AND (waived_until IS NULL OR waived_until > clock_timestamp()))
            OR (state = 'resolved' AND data #>> '{{decision,fix}}' = 'accept'));
    IF blockers > 0 THEN
        RAISE EXCEPTION 'The pass has % open blockers: accept or waive them, or fix them and run a new pass.',
            blockers {REFUSE};
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION concord_finding_respects_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM concord_need_read_committed();
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'A finding is not deleted: resolve or waive it, with a reason.' {REFUSE};
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.consistency_pass_id, OLD.rule, OLD.severity, OLD.message, OLD.subject,
            OLD.region_id, OLD.counterpart_id, OLD.data - 'decision') IS DISTINCT FROM
            (NEW.consistency_pass_id, NEW.rule, NEW.severity, NEW.message, NEW.subject,
            NEW.region_id, NEW.counterpart_id, NEW.data - 'decision') THEN
        RAISE EXCEPTION 'What a rule has found does not change: only the decision about it does.' {REFUSE};
    END IF;
    PERFORM 1 FROM annotation_consistencypass WHERE id = NEW.consistency_pass_id FOR UPDATE;
    IF EXISTS (SELECT 1 FROM annotation_release WHERE consistency_pass_id = NEW.consistency_pass_id) THEN
        RAISE EXCEPTION 'The pass has been released: its findings no longer change. Run a new pass.' {REFUSE};
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION concord_refuse_truncated_findings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A finding is not deleted: resolve or waive it, with a reason.' {REFUSE};
END $$;

CREATE OR REPLACE FUNCTION concord_finished_pass_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'done' THEN
        RAISE EXCEPTION 'A finished consistency pass does not change. Run a new one.' {REFUSE};
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION concord_pass_items_end_with_pass() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM annotation_consistencypass p WHERE p.state = 'done'
               AND p.id IN (SELECT DISTINCT consistency_pass_id FROM added)) THEN
        RAISE EXCEPTION 'The pass has finished: nothing can be added to what it saw. Run a new one.' {REFUSE};
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION concord_release_holds_its_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM annotation_release r WHERE r.id IN (SELECT DISTINCT release_id FROM added)
               AND r.items_count < (SELECT count(*) FROM annotation_releaseitem i WHERE i.release_id = r.id)) THEN
        RAISE EXCEPTION 'The release is complete: nothing can be added to it. Cut a new one.' {REFUSE};
    END IF;
    RETURN NULL;
END $$;
"""

TRIGGERS = """
CREATE OR REPLACE TRIGGER release_needs_clean_pass BEFORE INSERT ON annotation_release
    FOR EACH ROW EXECUTE FUNCTION concord_release_needs_clean_pass();
CREATE OR REPLACE TRIGGER finding_respects_release BEFORE INSERT OR UPDATE OR DELETE ON annotation_finding
    FOR EACH ROW EXECUTE FUNCTION concord_finding_respects_release();
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON annotation_finding
    FOR EACH STATEMENT EXECUTE FUNCTION concord_refuse_truncated_findings();
CREATE OR REPLACE TRIGGER finished_pass_stays BEFORE UPDATE OR DELETE ON annotation_consistencypass
    FOR EACH ROW EXECUTE FUNCTION concord_finished_pass_stays();
CREATE OR REPLACE TRIGGER pass_items_end_with_pass AFTER INSERT ON annotation_passitem
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION concord_pass_items_end_with_pass();
CREATE OR REPLACE TRIGGER release_holds_its_count AFTER INSERT ON annotation_releaseitem
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION concord_release_holds_its_count();
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0002_append_only")]
    operations = [migrations.RunSQL(FUNCTIONS + TRIGGERS, migrations.RunSQL.noop)]
