package query

// LimitParquet bounds the records of an export to Parquet.
func (a *Asker) LimitParquet(most int) { a.most = most }
