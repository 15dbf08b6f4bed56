package journal

// packer gathers the frames of a group into blocks. It uses its memory again for the next group, which it
// may because a Log keeps nothing of what it is given.
type packer struct {
	blocks []Block
	size   int64
	spare  [][]byte // of blockBytes each
	used   int
}

func (p *packer) reset() {
	clear(p.blocks)
	p.blocks, p.size, p.used = p.blocks[:0], 0, 0
}

// add puts a frame into the last block, or into a new one. A large frame is a block of its own and is not
// copied.
func (p *packer) add(frame []byte, at position) {
	p.size += int64(len(frame))
	if n := len(p.blocks); n > 0 {
		b := &p.blocks[n-1]
		if room := cap(b.Frames) - len(b.Frames); room >= len(frame) {
			b.Frames = append(b.Frames, frame...)
			b.Last, b.Hash = at.sequence, at.hash
			return
		}
	}
	if len(frame) < blockBytes/2 {
		frame = append(p.buffer(), frame...)
	}
	p.blocks = append(p.blocks, Block{at.sequence, at.sequence, at.hash, frame})
}

func (p *packer) buffer() []byte {
	if p.used == len(p.spare) {
		p.spare = append(p.spare, make([]byte, 0, blockBytes))
	}
	p.used++
	return p.spare[p.used-1]
}
