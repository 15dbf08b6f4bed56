package state

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
)

// check asks the catalog for what somebody may have switched off, and then holds every row against the
// constraints, which reads every page of every table. Indexes are checked if the server has the
// extension amcheck.
func (*postgresDB) check(tx *Tx, limit int) (faults []string, err error) {
	for _, query := range []string{
		`SELECT 'the trigger ' || tgname || ' of ' || tgrelid::regclass || ' is switched off' FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
			WHERE tgenabled <> 'O' AND relnamespace = current_schema()::regnamespace`,
		`SELECT 'the index ' || indexrelid::regclass || ' is not valid' FROM pg_index i JOIN pg_class c ON c.oid = indrelid
			WHERE NOT (indisvalid AND indisready) AND relnamespace = current_schema()::regnamespace`,
		`SELECT 'the constraint ' || conname || ' of ' || conrelid::regclass || ' does not hold for all rows' FROM pg_constraint
			WHERE NOT convalidated AND connamespace = current_schema()::regnamespace`,
	} {
		found, err := column(tx, query, limit-len(faults))
		if err != nil {
			return nil, err
		}
		faults = append(faults, found...)
	}
	probes, err := column(tx, checkQueries, maxProbes)
	if err != nil {
		return nil, err
	}
	for _, probe := range probes {
		if len(faults) >= limit {
			break
		}
		found, err := column(tx, probe, limit-len(faults))
		if err != nil {
			return nil, err
		}
		faults = append(faults, found...)
	}
	return faults, nil
}

const maxProbes = 10_000

// checkQueries makes a query for each rule, which returns a line for each row that breaks it.
const checkQueries = `
SELECT format($$SELECT '%s: a row breaks %s' FROM %s WHERE NOT (%s)$$, conrelid::regclass, conname, conrelid::regclass, pg_get_expr(conbin, conrelid))
FROM pg_constraint WHERE contype = 'c' AND connamespace = current_schema()::regnamespace
UNION ALL
SELECT format($$SELECT '%s row ' || concat_ws('@', %s) || ' refers to nothing in %s' FROM %s c WHERE %s AND NOT EXISTS (SELECT 1 FROM %s p WHERE %s)$$,
	conrelid::regclass, string_agg(format('c.%I', a.attname), ', '), confrelid::regclass, conrelid::regclass,
	string_agg(format('c.%I IS NOT NULL', a.attname), ' AND '), confrelid::regclass, string_agg(format('p.%I = c.%I', b.attname, a.attname), ' AND '))
FROM pg_constraint
CROSS JOIN LATERAL unnest(conkey, confkey) AS k (child, parent)
JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.child
JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = k.parent
WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
GROUP BY pg_constraint.oid, conrelid, confrelid
UNION ALL
SELECT format($$SELECT '%s' WHERE public.bt_index_check(%s, true) IS NULL$$, indexrelid::regclass, indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
WHERE m.amname = 'btree' AND c.relnamespace = current_schema()::regnamespace
	AND EXISTS (SELECT 1 FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'amcheck' AND nspname = 'public')`

// column returns the first column of a query, at most limit rows of it.
func column(tx *Tx, query string, limit int) (lines []string, err error) {
	rows, err := tx.Query(query)
	if err != nil {
		return nil, err
	}
	for len(lines) < limit && rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, fmt.Errorf("check: %w", err)
		}
		lines = append(lines, line)
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	return lines, rows.Err()
}

func (d *postgresDB) backup(context.Context, string) error {
	return tallystick.Errorf(tallystick.Invalid, "the database %s is on a PostgreSQL server", d.name).
		WithHint("copy it with pg_dump --format=custom, before the files of the workspace")
}
