package artifact

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Bounds of one pickle.
const (
	maxPickleStack = 1 << 20 // values
	maxPickleMemo  = 1 << 21 // values
	maxPickleText  = 256     // bytes of a string that is kept; longer ones are names of nothing
	maxPickleKept  = 64 << 20
	maxPickleLine  = 64 << 20 // bytes of an argument that ends with a newline
	maxPickleItems = 16       // values of a tuple, and pairs of a dict, that are kept
)

// kind says what a value of the stack machine stands for.
type kind uint8

const (
	kindOther  kind = iota // data: numbers, bytes, containers
	kindCall               // what a call returned, of which nothing is known
	kindText               // text, in value.text
	kindInt                // a number, in value.number
	kindTuple              // value.items
	kindDict               // value.items: key, value, key, value...
	kindGlobal             // value.text: "module name"
	kindObject             // what calling a global returned: value.text, arguments in value.items
)

// value is what the scanner knows of an object: enough to name what a pickle calls.
type value struct {
	kind   kind
	text   string
	number int64
	items  []*value
	state  *value // of an object, after BUILD
}

var (
	errUnderflow = errors.New("the stack is empty")
	errNoMark    = errors.New("there is no mark")
	errNoMemo    = errors.New("a memo entry is missing")
	errTooBig    = errors.New("it needs more memory than an inspection has")
)

// pickle is the symbolic stack machine for one stream. It never imports, calls or builds anything:
// it follows names through the stack and the memo, and reports every one that is not allowed.
type pickle struct {
	in  *inspector
	src *input
	// torch allows persistent ids of storages, which torch.load resolves to raw numbers.
	torch bool
	// joblib is set by the first array wrapper, after which raw numbers stand between opcodes.
	joblib  bool
	objects bool // one of the arrays was of objects
	plain   bool // read as pickle.load does, which knows nothing of array wrappers
	called  bool // something was called, or would have been
	nested  int  // pickles in this pickle

	stack    []*value
	marks    []int // stack heights
	memo     []*value
	memoized int
	kept     int // bytes of text that are kept
	start    int64
}

// scan reads one pickle up to its STOP.
func (p *pickle) scan() error {
	p.stack, p.marks, p.memo, p.memoized = nil, nil, nil, 0
	p.start = p.src.offset()
	for n := 0; ; n++ {
		if n&0xffff == 0 {
			if err := p.in.ctx.Err(); err != nil {
				return err
			}
		}
		op, err := p.src.ReadByte()
		if err != nil {
			return unexpected(err)
		}
		if op == opStop {
			_, err := p.pop()
			return err
		}
		if err := p.step(op); err != nil {
			return err
		}
		if len(p.stack) > maxPickleStack {
			return errTooBig
		}
	}
}

func (p *pickle) push(v *value) { p.stack = append(p.stack, v) }

func (p *pickle) pushData() { p.push(&value{}) }

// fence is the height below which the machine may not reach: that of the last mark.
func (p *pickle) fence() int {
	if len(p.marks) == 0 {
		return 0
	}
	return p.marks[len(p.marks)-1]
}

func (p *pickle) pop() (*value, error) {
	if len(p.stack) <= p.fence() {
		return nil, errUnderflow
	}
	v := p.stack[len(p.stack)-1]
	p.stack = p.stack[:len(p.stack)-1]
	return v, nil
}

func (p *pickle) top() (*value, error) {
	if len(p.stack) <= p.fence() {
		return nil, errUnderflow
	}
	return p.stack[len(p.stack)-1], nil
}

// popMark removes the last mark and returns what stood above it.
func (p *pickle) popMark() ([]*value, error) {
	if len(p.marks) == 0 {
		return nil, errNoMark
	}
	from := p.fence()
	p.marks = p.marks[:len(p.marks)-1]
	items := p.stack[from:]
	p.stack = p.stack[:from]
	return items, nil
}

func (p *pickle) put(index uint64) error {
	v, err := p.top()
	if err != nil {
		return err
	}
	if index >= maxPickleMemo {
		return errTooBig
	}
	for uint64(len(p.memo)) <= index {
		p.memo = append(p.memo, nil)
	}
	if p.memo[index] == nil {
		p.memoized++
	}
	p.memo[index] = v
	return nil
}

func (p *pickle) get(index uint64) error {
	if index >= uint64(len(p.memo)) || p.memo[index] == nil {
		return errNoMemo
	}
	p.push(p.memo[index])
	return nil
}

// text reads a string of n bytes and pushes it. A string that is too long to be a name is skipped.
func (p *pickle) text(n uint64) error {
	if n > maxPickleText || p.kept+int(n) > maxPickleKept {
		p.pushData()
		return p.src.skip(n)
	}
	data, err := p.src.take(int(n))
	if err != nil {
		return err
	}
	p.kept += len(data)
	p.push(&value{kind: kindText, text: string(data)})
	return nil
}

// line reads an argument that ends with a newline. Of a long one it returns the beginning.
func (p *pickle) line() (string, error) {
	var kept []byte
	total := 0
	for {
		part, err := p.src.ReadSlice('\n')
		total += len(part)
		if room := maxPickleText + 1 - len(kept); room > 0 {
			kept = append(kept, part[:min(len(part), room)]...)
		}
		switch {
		case err == nil:
			return string(bytes.TrimSuffix(kept, []byte("\n"))), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", unexpected(err)
		case total > maxPickleLine:
			return "", errTooBig
		}
	}
}

// pushText pushes a line as text if it can be a name.
func (p *pickle) pushText(s string) {
	if len(s) > maxPickleText || p.kept+len(s) > maxPickleKept {
		p.pushData()
		return
	}
	p.kept += len(s)
	p.push(&value{kind: kindText, text: s})
}

// global pushes a global that is named at the byte before, and reports it if it is not allowed.
func (p *pickle) global(module, name string) {
	switch reason, ok := judgeGlobal(module, name); {
	case ok:
	case reason == "":
		p.find(High, "pickle.global", "names %q, which is not on the list of what is known to be harmless", module+"."+name)
	default:
		p.find(Critical, "pickle.global", "names %q, which %s", module+"."+name, reason)
	}
	p.push(&value{kind: kindGlobal, text: module + " " + name})
}

func (p *pickle) find(severity Severity, rule, format string, args ...any) {
	p.in.find(severity, rule, place(p.src.where, max(p.src.offset()-1, 0)), format, args...)
}

// call replaces a callable and its arguments by what the call returns. The name of the callable
// has been judged where it was pushed; a callable without a name can be anything.
func (p *pickle) call(callable *value, args []*value) {
	p.called = true
	if callable.kind != kindGlobal {
		p.find(High, "pickle.call", "calls something that it does not name")
		p.push(&value{kind: kindCall})
		return
	}
	p.push(&value{kind: kindObject, text: callable.text, items: p.collect(kindTuple, args, maxPickleItems).items})
}

// collect returns a container of these values, for the machine reuses its stack. Of one that is too
// large to be told apart nothing is known.
func (p *pickle) collect(k kind, items []*value, limit int) *value {
	p.checkContained(items)
	if len(items) > limit {
		return &value{}
	}
	return &value{kind: k, items: append([]*value(nil), items...)}
}

// checkContained reports the class of array wrappers where it is not called at once. Joblib reads
// raw numbers behind each of its objects, so none may come into being unseen.
func (p *pickle) checkContained(items []*value) {
	for _, v := range items {
		if v.kind == kindGlobal && v.text == joblibWrapper {
			p.find(High, "pickle.wrapper", "hands the class of array wrappers around, which hides where numbers end and opcodes go on")
		}
	}
}

// build gives an object its state. On a class or function it changes what every other user of it gets.
func (p *pickle) build(target, state *value) error {
	p.called = true
	switch target.kind {
	case kindGlobal:
		p.find(High, "pickle.patch", "changes %q itself", strings.Replace(target.text, " ", ".", 1))
	case kindObject:
		target.state = state
		if target.text == joblibWrapper && !p.plain {
			p.joblib = true
			return p.joblibArray(state)
		}
	}
	return nil
}

// persistent handles an id that whoever loads the pickle resolves as it likes.
func (p *pickle) persistent(id *value) {
	if !p.torch || id.kind != kindTuple || len(id.items) == 0 || id.items[0].text != "storage" {
		p.find(High, "pickle.persistent", "asks its loader for an object by a persistent id, which can be anything")
	}
	p.push(&value{kind: kindObject, text: "persistent id"})
}

// number reads the decimal argument of GET and PUT.
func (p *pickle) number() (uint64, error) {
	s, err := p.line()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%.20q is no memo index", s)
	}
	return n, nil
}
