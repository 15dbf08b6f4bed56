package state

import (
	"bytes"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// postgresRows are the rows of a query. A connection does one thing at a time: when another statement
// comes while they are being read, the rest is read into memory.
type postgresRows struct {
	session *postgresSession
	rows    pgx.Rows
	err     error
	done    bool // rows has no more

	// Once the rest is in memory.
	kept   [][][]byte // the rows to come
	fields []pgconn.FieldDescription
	row    [][]byte // the current one
}

func (r *postgresRows) Next() bool {
	if r.fields != nil {
		if len(r.kept) == 0 {
			r.row = nil
			return false
		}
		r.row, r.kept = r.kept[0], r.kept[1:]
		return true
	}
	if r.done {
		return false
	}
	if r.rows.Next() {
		r.row = r.rows.RawValues()
		return true
	}
	r.finish()
	r.row = nil
	return false
}

// keep reads the rest of the rows into memory.
func (r *postgresRows) keep() {
	r.fields = slices.Clone(r.rows.FieldDescriptions())
	if r.fields == nil {
		r.fields = []pgconn.FieldDescription{}
	}
	r.row = cloneRow(r.row)
	for r.rows.Next() {
		r.kept = append(r.kept, cloneRow(r.rows.RawValues()))
	}
	r.finish()
}

// finish lets the connection go.
func (r *postgresRows) finish() {
	r.rows.Close()
	r.done = true
	if r.session.reading == r {
		r.session.reading = nil
	}
	if err := r.rows.Err(); err != nil {
		r.err = r.session.note(err)
	}
}

func cloneRow(row [][]byte) [][]byte {
	row = slices.Clone(row)
	for i, field := range row {
		row[i] = bytes.Clone(field) // nil, which is null, stays nil
	}
	return row
}

func (r *postgresRows) Scan(dest ...any) error {
	fields := r.fields
	if fields == nil {
		fields = r.rows.FieldDescriptions()
	}
	if len(fields) != len(dest) || len(r.row) != len(dest) {
		return pgx.ScanArgError{ColumnIndex: min(len(fields), len(dest)), Err: errColumns}
	}
	types := r.session.conn.TypeMap()
	for i, d := range dest {
		err := scan(types, fields[i], r.row[i], d)
		if err != nil {
			return pgx.ScanArgError{ColumnIndex: i, FieldName: fields[i].Name, Err: err}
		}
	}
	return nil
}

// scan is the scan of pgx, except that a number may be scanned into a bool.
func scan(types *pgtype.Map, field pgconn.FieldDescription, raw []byte, dest any) error {
	b, isBool := dest.(*bool)
	if !isBool || field.DataTypeOID == pgtype.BoolOID {
		return types.Scan(field.DataTypeOID, field.Format, raw, dest)
	}
	var n int64
	err := types.Scan(field.DataTypeOID, field.Format, raw, &n)
	*b = n != 0
	return err
}

func (r *postgresRows) Err() error { return r.err }

func (r *postgresRows) Close() error {
	if !r.done {
		r.finish()
	}
	r.kept, r.row = nil, nil
	return nil
}
