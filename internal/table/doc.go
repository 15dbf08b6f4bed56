// Package table reads files of predictions, features and labels as typed columns.
//
// CSV (plain or gzip) and Parquet files, several files of one schema included, become one [Table]
// whose rows are in file order. A caller asks for a few columns at a time and gets them in aligned
// blocks ([Table.Scan]); Parquet columns that nobody asks for are not read. Missing, NaN and
// infinite values stay three different things.
//
// Memory is bounded whatever the size of the input: CSV columns beyond [Options.MemoryBudget] go
// to an unlinked temporary file, Parquet columns are decoded page by page, category dictionaries
// have a cap. Files are treated as hostile: every count and size that a file states is checked
// against the file before memory is set aside for it. For that reason the Parquet pages are decoded
// here; the library's page reader trusts those counts. The library decodes the metadata.
//
// Errors about the input are of code Invalid and name file, row, column and what to do. Rows are
// counted from 1 after the header; lines are those of an editor.
package table
