"""Observing the cases of a village for an evaluation: one statement an indicator, by what was known until the bound.

Each statement reads rows that never change once they are written, or columns of a case or task that stay as they are
once it has ended: what a case that is still open may yet become is in none of them. `:begins` is in the period, `:ends`
is not, and nothing after `:known` was known.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.evaluations import EvaluationSpan
from domain.indicators import Indicator

_CLOSED: Final = """
    closed AS (
        SELECT u.* FROM updates u
        WHERE u.area_code = :village AND u.closed_at >= :begins AND u.closed_at < :ends
    )"""
_PEOPLE: Final = "t.stage NOT IN ('identity_check', 'delivery')"
_VILLAGE: Final = "('verification', 'deliberation')"
_REGENCY: Final = "('approval', 'endorsement')"

# A task is held by the role that its stage names; where nobody might decide as it was opened, by the receiver of the
# last rung that fired then (services/queries/custody.py). Of several offices in that role it is the one that decided,
# or else the first by id, so that each moment is of one office.
_OFFICE_OF: Final = """
    roles AS (
        SELECT t.id, t.update_id, t.area_code, t.stage, t.opened_at, t.decided_at, t.due_at,
               coalesce(
                   (SELECT ARRAY[e.to_role] FROM escalations e
                    WHERE e.task_id = t.id AND e.action = 'escalate' AND e.cause = 'no_eligible_decider'
                      AND e.fired_at = t.opened_at ORDER BY e.level DESC LIMIT 1),
                   (SELECT array_agg(g.role ORDER BY g.role) FROM task_grants g
                    WHERE g.task_id = t.id AND g.power = 'decide' AND g.rung IS NULL),
                   '{}') AS roles
        FROM of_interest t
    ),
    asked AS (
        SELECT r.id, r.area_code, role, r.opened_at, row_number() OVER (ORDER BY r.id, role) AS n
        FROM roles r CROSS JOIN unnest(r.roles) AS role
        WHERE r.stage NOT IN ('identity_check', 'delivery')
    ),
    posts AS (
        SELECT a.id, p.office_id
        FROM kawal_posts((SELECT array_agg(area_code ORDER BY n) FROM asked),
                         (SELECT array_agg(role ORDER BY n) FROM asked),
                         (SELECT array_agg(opened_at ORDER BY n) FROM asked)) p
        JOIN asked a ON a.n = p.n
    ),
    kept AS (
        SELECT r.*, CASE r.stage WHEN 'identity_check' THEN 'party:civil_registry' WHEN 'delivery' THEN 'party:system'
            ELSE coalesce(
                (SELECT 'office:' || p.office_id FROM posts p WHERE p.id = r.id
                 ORDER BY EXISTS (SELECT 1 FROM decisions d WHERE d.task_id = r.id AND d.office_id = p.office_id) DESC,
                          p.office_id LIMIT 1),
                'vacant:' || coalesce(r.roles[1], r.stage)) END AS keeper
        FROM roles r
    )"""
_OBSERVED: Final[dict[Indicator, str]] = {
    Indicator.CASE_AGE: """
        WITH {closed}
        SELECT '' AS part, id AS subject_id, id AS update_id, household_id, NULL::boolean AS hit,
               extract(epoch FROM closed_at - submitted_at)::float8 AS value, NULL::float8 AS paused
        FROM closed""",
    Indicator.OPEN_AGE: """
        SELECT '' AS part, id AS subject_id, id AS update_id, household_id, NULL::boolean AS hit,
               extract(epoch FROM CAST(:ends AS timestamptz) - submitted_at)::float8 AS value, NULL::float8 AS paused
        FROM updates
        WHERE area_code = :village AND submitted_at < :ends AND (closed_at IS NULL OR closed_at >= :ends)""",
    Indicator.CUSTODY: """
        WITH {closed},
        of_interest AS (SELECT t.* FROM tasks t JOIN closed c ON c.id = t.update_id),
        {office_of},
        pushed AS (
            SELECT (a.data ->> 'task')::uuid AS task_id, min(a.at) AS at
            FROM closed c JOIN audit_events a ON a.stream = 'update:' || c.id AND a.type = 'update.pushed' GROUP BY 1
        ),
        parted AS (
            SELECT k.id, k.update_id, k.keeper, lower(span) AS began, upper(span) AS ended, 0 AS n
            FROM kept k LEFT JOIN pushed p ON p.task_id = k.id AND k.stage = 'delivery'
            CROSS JOIN unnest(
                tstzmultirange(tstzrange(
                    k.opened_at, greatest(k.opened_at, coalesce(p.at, k.decided_at, 'infinity'))))
                - coalesce((SELECT range_agg(tstzrange(i.from_at, coalesce(i.to_at, 'infinity'))) FROM clock_intervals i
                            WHERE i.task_id = k.id AND i.cause = 'ground_check'
                              AND i.from_at < coalesce(i.to_at, 'infinity')), '{{}}')) AS span
            UNION ALL
            SELECT k.id, k.update_id, 'party:ministry', p.at, k.decided_at, 1
            FROM kept k JOIN pushed p ON p.task_id = k.id AND k.stage = 'delivery'
        ),
        bounded AS (
            SELECT p.*, c.submitted_at, c.closed_at, greatest(c.submitted_at, max(least(greatest(p.began,
                       coalesce(p.ended, c.closed_at)), c.closed_at)) OVER (
                       PARTITION BY p.update_id ORDER BY p.began, p.id, p.n
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS reached
            FROM parted p JOIN closed c ON c.id = p.update_id
        ),
        spans AS (
            SELECT id, update_id, keeper, least(greatest(began, reached), closed_at) AS began,
                   least(coalesce(ended, closed_at), closed_at) AS ended FROM bounded
        ),
        held AS (
            SELECT s.update_id, s.keeper, extract(epoch FROM s.ended - s.began) AS total, coalesce((
                       SELECT sum(extract(epoch FROM upper(stood) - lower(stood)))
                       FROM unnest(
                           (SELECT range_agg(tstzrange(i.from_at, coalesce(i.to_at, 'infinity'))) FROM clock_intervals i
                            WHERE i.task_id = s.id AND i.from_at < coalesce(i.to_at, 'infinity'))
                           * tstzmultirange(tstzrange(s.began, s.ended))) AS stood), 0) AS paused
            FROM spans s WHERE s.ended > s.began
        ),
        each AS (
            SELECT update_id, keeper, sum(total) AS total, sum(paused) AS paused FROM held GROUP BY update_id, keeper
            UNION ALL
            SELECT c.id, 'party:system', extract(epoch FROM c.closed_at - c.submitted_at)
                   - coalesce((SELECT sum(h.total) FROM held h WHERE h.update_id = c.id), 0), 0 FROM closed c
        )
        SELECT e.keeper AS part, e.update_id AS subject_id, e.update_id, c.household_id, NULL::boolean AS hit,
               sum(e.total - e.paused)::float8 AS value, sum(e.paused)::float8 AS paused
        FROM each e JOIN closed c ON c.id = e.update_id GROUP BY e.keeper, e.update_id, c.household_id
        HAVING sum(e.total) > 0""",
    Indicator.WITHIN_DEADLINE: """
        WITH late AS (
            SELECT e.task_id, min(e.fired_at) AS at FROM escalations e
            WHERE e.area_code = :village AND e.action = 'escalate' AND e.cause = 'deadline'
              AND e.fired_at >= :begins AND e.fired_at < :ends GROUP BY e.task_id
        ),
        of_interest AS (
            SELECT t.* FROM tasks t
            WHERE t.area_code = :village AND {people}
              AND (t.status = 'decided' AND t.decided_at >= :begins AND t.decided_at < :ends
                   OR (t.decided_at IS NULL OR t.decided_at >= :ends) AND t.id IN (SELECT task_id FROM late))
        ),
        {office_of}
        SELECT k.keeper AS part, k.id AS subject_id, k.update_id, u.household_id,
               coalesce(k.decided_at < :ends AND k.decided_at <= k.due_at, false) AS hit, NULL::float8 AS value,
               NULL::float8 AS paused
        FROM kept k JOIN updates u ON u.id = k.update_id""",
    Indicator.RETURNS: """
        WITH {closed}
        SELECT '' AS part, c.id AS subject_id, c.id AS update_id, c.household_id, NULL::boolean AS hit,
               (SELECT count(*) FROM decisions d WHERE d.update_id = c.id AND d.outcome = 'return')::float8 AS value,
               NULL::float8 AS paused
        FROM closed c""",
    Indicator.FIRST_PASS: """
        WITH {closed}
        SELECT '' AS part, c.id AS subject_id, c.id AS update_id, c.household_id, c.status = 'applied' AND NOT EXISTS (
                   SELECT 1 FROM decisions d WHERE d.update_id = c.id AND d.outcome = 'return') AS hit,
               NULL::float8 AS value, NULL::float8 AS paused
        FROM closed c WHERE c.status IN ('applied', 'rejected')""",
    Indicator.OVERRIDDEN_ABOVE: """
        WITH {closed}
        SELECT '' AS part, c.id AS subject_id, c.id AS update_id, c.household_id, bool_or(d.outcome = 'reject') AS hit,
               NULL::float8 AS value, NULL::float8 AS paused
        FROM closed c JOIN decisions d ON d.update_id = c.id AND d.stage IN {regency_tier}
        WHERE EXISTS (SELECT 1 FROM decisions v WHERE v.update_id = c.id AND v.stage IN {village_tier}
                      AND v.outcome = 'forward')
        GROUP BY c.id, c.household_id""",
    Indicator.OVERRIDDEN_FOR_APPLICANT: """
        WITH {closed}
        SELECT '' AS part, c.id AS subject_id, c.id AS update_id, c.household_id, EXISTS (
                   SELECT 1 FROM updates a JOIN decisions o ON o.update_id = a.id AND o.stage = 'appeal'
                   WHERE a.appeal_of = c.id AND o.outcome = 'overturn' AND o.decided_at <= :known) AS hit,
               NULL::float8 AS value, NULL::float8 AS paused
        FROM closed c WHERE c.status = 'rejected' AND EXISTS (
            SELECT 1 FROM decisions v WHERE v.update_id = c.id AND v.stage IN {village_tier}
            AND v.outcome = 'reject')""",
    Indicator.APPEALS_OVERTURNED: """
        SELECT parted.part, d.id AS subject_id, a.id AS update_id, a.household_id, d.outcome = 'overturn' AS hit,
               NULL::float8 AS value, NULL::float8 AS paused
        FROM decisions d JOIN updates a ON a.id = d.update_id JOIN updates r ON r.id = a.appeal_of
        CROSS JOIN LATERAL (
            VALUES (''), ('reason:' || coalesce(r.reason, 'none')),
                   (CASE WHEN a.contested IN {village_tier} THEN 'tier:village'
                         WHEN a.contested IN {regency_tier} THEN 'tier:regency' ELSE 'tier:ministry' END)
        ) AS parted(part)
        WHERE d.area_code = :village AND d.stage = 'appeal' AND d.outcome IN ('uphold', 'overturn')
          AND d.decided_at >= :begins AND d.decided_at < :ends""",
    Indicator.DEEMED: """
        SELECT '' AS part, d.id AS subject_id, d.update_id, u.household_id, d.decided_by = 'timeout' AS hit,
               NULL::float8 AS value, NULL::float8 AS paused
        FROM decisions d JOIN updates u ON u.id = d.update_id
        WHERE d.area_code = :village AND d.stage NOT IN ('identity_check', 'delivery')
          AND d.decided_by IN ('officer', 'timeout') AND d.decided_at >= :begins AND d.decided_at < :ends""",
    Indicator.ESCALATED: """
        SELECT parted.part, t.id AS subject_id, t.update_id, u.household_id, EXISTS (
                   SELECT 1 FROM escalations e WHERE e.task_id = t.id AND e.action = 'escalate') AS hit,
               NULL::float8 AS value, NULL::float8 AS paused
        FROM tasks t JOIN updates u ON u.id = t.update_id
        CROSS JOIN LATERAL (VALUES (''), ('stage:' || t.stage)) AS parted(part)
        WHERE t.area_code = :village AND {people} AND t.decided_at >= :begins AND t.decided_at < :ends""",
    Indicator.ESCALATION_RESOLVED: """
        SELECT 'level:' || e.level AS part, t.id AS subject_id, t.update_id, u.household_id, NULL::boolean AS hit,
               extract(epoch FROM t.decided_at - min(e.fired_at))::float8 AS value, NULL::float8 AS paused
        FROM tasks t JOIN updates u ON u.id = t.update_id JOIN escalations e ON e.task_id = t.id
        WHERE t.area_code = :village AND {people} AND e.action = 'escalate' AND e.level > 0
          AND t.decided_at >= :begins AND t.decided_at < :ends
        GROUP BY e.level, t.id, t.update_id, u.household_id, t.decided_at""",
    Indicator.CUTOFF_KEPT: """
        SELECT '' AS part, u.id AS subject_id, u.id AS update_id, u.household_id, NOT EXISTS (
                   SELECT 1 FROM round_rolls o WHERE o.update_id = u.id AND o.from_round = :round
                   AND o.rolled_at <= :known) AS hit,
               NULL::float8 AS value, NULL::float8 AS paused
        FROM updates u
        WHERE u.area_code = :village AND (
            EXISTS (SELECT 1 FROM round_rolls o WHERE o.update_id = u.id AND o.from_round = :round
                    AND o.rolled_at <= :known)
            OR u.round_id = :round AND u.closed_at < :ends AND u.status = 'applied')""",
    Indicator.GRADUATED: """
        WITH {closed}
        SELECT '' AS part, c.id AS subject_id, c.id AS update_id, c.household_id, c.kind = 'graduation' AS hit,
               NULL::float8 AS value, NULL::float8 AS paused
        FROM closed c WHERE c.status = 'applied'""",
    Indicator.REENTERED: """
        SELECT '' AS part, g.id AS subject_id, g.id AS update_id, g.household_id, EXISTS (
                   SELECT 1 FROM updates p WHERE p.household_id = g.household_id AND p.kind = 'programme_proposal'
                   AND p.status = 'applied' AND p.closed_at > g.closed_at AND p.closed_at < :ends
                   AND p.closed_at <= g.closed_at + interval '12 months') AS hit,
               NULL::float8 AS value, NULL::float8 AS paused
        FROM updates g
        WHERE g.area_code = :village AND g.kind = 'graduation' AND g.status = 'applied'
          AND g.closed_at < :ends AND g.closed_at >= CAST(:ends AS timestamptz) - interval '12 months'""",
    Indicator.MUSDES_HELD: """
        SELECT '' AS part, CAST(:evaluation AS uuid) AS subject_id, NULL::uuid AS update_id, NULL::uuid AS household_id,
               EXISTS (SELECT 1 FROM minutes m LEFT JOIN minutes s ON s.id = m.superseded_by
                       WHERE m.area_code = :village AND m.type = 'musdes' AND m.recorded_at <= :known
                         AND (s.id IS NULL OR s.recorded_at > :known)
                         AND m.recorded_at >= :begins AND m.recorded_at < :ends
               ) AS hit, NULL::float8 AS value, NULL::float8 AS paused""",
    Indicator.BY_MINUTES: """
        SELECT '' AS part, m.id AS subject_id, NULL::uuid AS update_id, NULL::uuid AS household_id,
               m.type = 'musdes' AS hit, NULL::float8 AS value, NULL::float8 AS paused
        FROM minutes m LEFT JOIN minutes s ON s.id = m.superseded_by
        WHERE m.area_code = :village AND (s.id IS NULL OR s.recorded_at > :known)
          AND m.recorded_at >= :begins AND m.recorded_at < :ends""",
    Indicator.ATTENDED: """
        SELECT 'group:' || unit AS part, m.id AS subject_id, NULL::uuid AS update_id, NULL::uuid AS household_id,
               EXISTS (SELECT 1 FROM jsonb_array_elements(m.attendance) a
                       WHERE (a ->> 'group' = unit AND (a ->> 'present')::int > 0)
                          OR (unit = 'women' AND (a ->> 'women')::int > 0)) AS hit,
               NULL::float8 AS value, NULL::float8 AS paused
        FROM minutes m LEFT JOIN minutes s ON s.id = m.superseded_by
        CROSS JOIN unnest(ARRAY['village_head', 'village_operator', 'village_council', 'neighbourhoods', 'families',
                                'babinsa', 'puskesos', 'community', 'women']) AS unit
        WHERE m.area_code = :village AND m.type = 'musdes' AND (s.id IS NULL OR s.recorded_at > :known)
          AND m.recorded_at >= :begins AND m.recorded_at < :ends""",
}
_KEEP: Final = """
    INSERT INTO evaluation_observations
        (evaluation_id, indicator, part, area_code, subject_id, update_id, hit, value, paused, groups)
    SELECT :evaluation, :indicator, found.part, :village, found.subject_id, found.update_id, found.hit, found.value,
           found.paused, (SELECT o.groups FROM evaluation_observations o
                          WHERE o.evaluation_id = :evaluation AND o.indicator = 'data_age' AND o.part = ''
                            AND o.area_code = :village AND o.subject_id = found.household_id)
    FROM ({observed}) found ON CONFLICT DO NOTHING"""
_PARTS: Final = {
    "closed": _CLOSED,
    "office_of": _OFFICE_OF,
    "people": _PEOPLE,
    "village_tier": _VILLAGE,
    "regency_tier": _REGENCY,
}
_STATEMENTS: Final[dict[Indicator, TextClause]] = {
    name: text(_KEEP.format(observed=observed.format(**_PARTS))) for name, observed in _OBSERVED.items()
}
_OF_A_ROUND: Final = frozenset({Indicator.CUTOFF_KEPT})


async def observe_cases(
    connection: AsyncConnection, evaluation_id: UUID, span: EvaluationSpan, *, village: str, round_id: UUID | None
) -> None:
    """Observe every case of the village, once for each indicator; what was observed before stays as it is."""
    told = {
        "evaluation": evaluation_id,
        "village": village,
        "begins": span.begins_at,
        "ends": span.ends_at,
        "known": span.known_until,
        "round": round_id,
    }
    for name, statement in _STATEMENTS.items():
        if name in _OF_A_ROUND and round_id is None:
            continue
        asked = {bound: told[bound] for bound in statement.compile().params if bound != "indicator"}
        await connection.execute(statement, {**asked, "indicator": name.value})
