package obligation

// Forget drops what the last survey remembers of answers.
func (o *Office) Forget() {
	o.ranking.Lock()
	defer o.ranking.Unlock()
	clear(o.last.Load().ranked)
}
