package capture

import (
	"math/bits"

	"github.com/tallystick/tallystick/internal/prediction"
)

// An id begins with the millisecond in which it was made. So each segment has a range of milliseconds, and the segments
// that can hold an id are those in whose range its millisecond lies. With an index over the ends alone, all segments
// after it, or all before it, would be looked at. Instead every range hangs at a node of the binary tree over all
// milliseconds: the highest that lies in it. The ranges around a millisecond hang on its way to the root, 49 nodes,
// and those at one node all overlap each other: there are as many as were made at the same time.
//
// Kriegel, Pötke, Seidl: Managing Intervals Efficiently in Object-Relational Databases, VLDB 2000.

const idBits = 48 // of the milliseconds of an id

// node returns where the range of two ids hangs. Nodes are numbered from 1 at the root, children of n being 2n and 2n+1.
func node(first, last prediction.ID) int64 {
	return nodeAbove(milliseconds(last), bits.Len64(milliseconds(first)^milliseconds(last)))
}

// Nodes returns the nodes at which the ranges can hang that have an id in them. Segments that were registered before
// there were nodes have the node 0, which is among them.
func Nodes(id prediction.ID) []int64 {
	nodes := []int64{0}
	for height := range idBits + 1 {
		nodes = append(nodes, nodeAbove(milliseconds(id), height))
	}
	return nodes
}

func nodeAbove(ms uint64, height int) int64 { return int64(1<<idBits|ms) >> height }

func milliseconds(id prediction.ID) (ms uint64) {
	for _, b := range id[:idBits/8] {
		ms = ms<<8 | uint64(b)
	}
	return ms
}
