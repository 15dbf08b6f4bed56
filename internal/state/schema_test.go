package state

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/state/postgrestest"
)

// TestOneSchema builds what the SQLite migrations make in PostgreSQL, by the rules in the comment of
// the package, and compares the catalog of that database with that of one which PostgreSQL's own
// migrations have made.
func TestOneSchema(t *testing.T) {
	t.Parallel()
	url := postgrestest.New(t)
	open(t, Config{URL: url})
	translated := postgrestest.New(t)
	postgrestest.Exec(t, translated, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$")
	statements := sqliteSchema(t)
	for failed := 1; len(statements) > 0; failed++ { // a table may stand before one that it refers to
		if err := try(t, translated, statements[0]); err == nil {
			statements, failed = statements[1:], 0
		} else if failed > len(statements) {
			t.Fatalf("%s: %v", statements[0], err)
		} else {
			statements = append(statements[1:], statements[0])
		}
	}
	if diff := cmp.Diff(catalogOf(t, translated), catalogOf(t, url)); diff != "" {
		t.Errorf("the schemas differ (-migrations/sqlite +migrations/postgres):\n%s", diff)
	}
}

// sqliteSchema returns the statements that make the tables, indexes and triggers, in PostgreSQL's words.
func sqliteSchema(t *testing.T) (statements []string) {
	t.Helper()
	db := open(t, Config{})
	err := db.Read(t.Context(), func(tx *Tx) error {
		rows, err := tx.Query("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'migrations' AND tbl_name NOT LIKE 'sqlite%' ORDER BY rowid")
		if err != nil {
			return err
		}
		for rows.Next() {
			var kind, name, sql string
			if err := rows.Scan(&kind, &name, &sql); err != nil {
				return err
			}
			if kind == "table" && !strings.Contains(sql, ") STRICT") {
				t.Errorf("table %s is not STRICT", name)
			}
			if kind != "trigger" {
				statements = append(statements, translate(sql))
				continue
			}
			triggers, err := translateTrigger(sql)
			if err != nil {
				return err
			}
			statements = append(statements, triggers...)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return checkKeys(t, tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	return statements
}

// checkKeys names the columns of a primary key that SQLite lets be null.
func checkKeys(t *testing.T, tx *Tx) error {
	t.Helper()
	rows, err := tx.Query(`SELECT l.name, c.name FROM pragma_table_list l, pragma_table_info(l.name) c
		WHERE l.type = 'table' AND l.schema = 'main' AND NOT l.wr AND c.pk > 0 AND c.type <> 'INTEGER' AND NOT c."notnull" AND l.name NOT LIKE 'sqlite%'`)
	if err != nil {
		return err
	}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return err
		}
		t.Errorf("%s.%s can be null in SQLite: say NOT NULL or WITHOUT ROWID", table, column)
	}
	return rows.Err()
}

var (
	comments = regexp.MustCompile(`--[^\n]*`)
	refusal  = regexp.MustCompile(`(?is)^(CREATE TRIGGER (\w+)\s+BEFORE (UPDATE|DELETE|INSERT)(?: OF [\w, ]+)? ON (\w+))\s+(?:FOR EACH ROW\s+)?(?:WHEN (.*?)\s+)?BEGIN\s+SELECT raise\(ABORT, ('[^']*')\);\s+END$`)
	anySpace = regexp.MustCompile(`\s+`)
)

func translateTrigger(sql string) ([]string, error) {
	m := refusal.FindStringSubmatch(strings.TrimSpace(comments.ReplaceAllString(sql, "")))
	if m == nil {
		return nil, fmt.Errorf("%s: a trigger refuses (SELECT raise(ABORT, 'words')) and does nothing else", sql)
	}
	head, name, act, table, condition, words := m[1], m[2], m[3], m[4], m[5], m[6]
	if condition != "" {
		condition = " WHEN (" + condition + ")"
	}
	statements := []string{head + " FOR EACH ROW" + condition + " EXECUTE FUNCTION refuse(" + words + ")"}
	if act == "DELETE" && condition == "" {
		statements = append(statements, "CREATE TRIGGER "+name+"_all BEFORE TRUNCATE ON "+table+" FOR EACH STATEMENT EXECUTE FUNCTION refuse("+words+")")
	}
	return statements, nil
}

func try(t *testing.T, url, statement string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	_, err = conn.Exec(t.Context(), statement)
	return err
}

// catalogOf describes every table of a database, a line for each thing that it has.
func catalogOf(t *testing.T, url string) (lines []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	rows, err := conn.Query(t.Context(), `
		WITH tables AS (SELECT oid, relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT IN ('migrations', 'notes'))
		SELECT relname || ' column ' || attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END
			|| coalesce(' collate ' || collname, '') || coalesce(' default ' || pg_get_expr(adbin, adrelid), '') || attidentity::text || attgenerated::text
			FROM tables JOIN pg_attribute a ON attrelid = tables.oid LEFT JOIN pg_collation c ON c.oid = attcollation
			LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum WHERE attnum > 0 AND NOT attisdropped
		UNION ALL SELECT relname || ' constraint ' || pg_get_constraintdef(c.oid) FROM tables JOIN pg_constraint c ON conrelid = tables.oid WHERE contype <> 't'
		UNION ALL SELECT relname || ' index ' || pg_get_indexdef(indexrelid) FROM tables JOIN pg_index ON indrelid = tables.oid
			WHERE NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
		UNION ALL SELECT relname || ' ' || pg_get_triggerdef(t.oid) FROM tables JOIN pg_trigger t ON tgrelid = tables.oid WHERE NOT tgisinternal`)
	if err != nil {
		t.Fatal(err)
	}
	if lines, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	for i, line := range lines {
		lines[i] = anySpace.ReplaceAllString(line, " ")
	}
	slices.Sort(lines)
	return lines
}
