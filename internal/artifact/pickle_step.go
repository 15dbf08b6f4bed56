package artifact

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
)

// step carries out one opcode but STOP.
func (p *pickle) step(op byte) error {
	switch op {
	case opMark:
		if len(p.marks) >= maxPickleStack {
			return errTooBig
		}
		p.marks = append(p.marks, len(p.stack))
		return nil
	case opPop:
		if len(p.stack) > p.fence() {
			p.stack = p.stack[:len(p.stack)-1]
			return nil
		}
		_, err := p.popMark()
		return err
	case opPopMark:
		_, err := p.popMark()
		return err
	case opDup:
		v, err := p.top()
		if err == nil {
			p.push(v)
		}
		return err
	case opProto:
		version, err := p.src.ReadByte()
		if err == nil && version > maxProtocol {
			return fmt.Errorf("there is no pickle protocol %d", version)
		}
		return unexpected(err)
	case opFrame:
		return p.src.skip(8) // its length changes nothing of what the opcodes do
	case opGlobal, opInst, opStackGlobal, opReduce, opNewObj, opNewObjEx, opObj, opBuild,
		opExt1, opExt2, opExt4, opPersID, opBinPersID:
		return p.stepCall(op)
	case opGet, opBinGet, opLongBinGet, opPut, opBinPut, opLongBinPut, opMemoize:
		return p.stepMemo(op)
	case opTuple, opEmptyTuple, opTuple1, opTuple2, opTuple3, opList, opEmptyList, opDict, opEmptyDict, opEmptySet, opFrozenSet,
		opAppend, opAppends, opSetItem, opSetItems, opAddItems:
		return p.stepContainer(op)
	default:
		return p.stepData(op)
	}
}

// stepCall handles the opcodes that can run code.
func (p *pickle) stepCall(op byte) error {
	switch op {
	case opGlobal, opInst:
		module, err := p.line()
		if err != nil {
			return err
		}
		name, err := p.line()
		if err != nil {
			return err
		}
		p.global(module, name)
		if op == opGlobal {
			return nil
		}
		class, err := p.pop()
		if err != nil {
			return err
		}
		args, err := p.popMark()
		if err == nil {
			p.call(class, args)
		}
		return err
	case opStackGlobal:
		name, err := p.pop()
		if err != nil {
			return err
		}
		module, err := p.pop()
		if err != nil {
			return err
		}
		if name.kind != kindText || module.kind != kindText {
			p.find(High, "pickle.global", "computes the name of what it loads")
			p.push(&value{kind: kindCall})
			return nil
		}
		p.global(module.text, name.text)
		return nil
	case opReduce, opNewObj:
		args, err := p.pop()
		if err != nil {
			return err
		}
		callable, err := p.pop()
		if err == nil {
			p.call(callable, args.items)
		}
		return err
	case opNewObjEx:
		if _, err := p.pop(); err != nil {
			return err
		}
		args, err := p.pop()
		if err != nil {
			return err
		}
		class, err := p.pop()
		if err == nil {
			p.call(class, args.items)
		}
		return err
	case opObj:
		args, err := p.popMark()
		if err != nil {
			return err
		}
		if len(args) == 0 {
			return errUnderflow
		}
		p.call(args[0], args[1:])
		return nil
	case opBuild:
		state, err := p.pop()
		if err != nil {
			return err
		}
		target, err := p.top()
		if err != nil {
			return err
		}
		return p.build(target, state)
	case opExt1, opExt2, opExt4:
		p.called = true
		p.find(High, "pickle.extension", "names what it loads by a code of the extension registry, which can be anything")
		p.push(&value{kind: kindCall})
		return p.src.skip(uint64(widthOf(op)))
	case opPersID:
		id, err := p.line()
		if err == nil {
			p.persistent(&value{kind: kindText, text: id})
		}
		return err
	default: // opBinPersID
		id, err := p.pop()
		if err == nil {
			p.persistent(id)
		}
		return err
	}
}

func (p *pickle) stepMemo(op byte) error {
	var index uint64
	var err error
	switch op {
	case opMemoize:
		return p.put(uint64(p.memoized))
	case opGet, opPut:
		index, err = p.number()
	case opBinGet, opBinPut:
		index, err = p.length(1)
	default:
		index, err = p.length(4)
	}
	if err != nil {
		return err
	}
	if op == opGet || op == opBinGet || op == opLongBinGet {
		return p.get(index)
	}
	return p.put(index)
}

func (p *pickle) stepContainer(op byte) error {
	switch op {
	case opEmptyTuple:
		p.push(&value{kind: kindTuple})
	case opTuple1, opTuple2, opTuple3:
		n := int(op-opTuple1) + 1
		if len(p.stack)-n < p.fence() {
			return errUnderflow
		}
		v := p.collect(kindTuple, p.stack[len(p.stack)-n:], maxPickleItems)
		p.stack = p.stack[:len(p.stack)-n]
		p.push(v)
	case opTuple:
		items, err := p.popMark()
		if err != nil {
			return err
		}
		p.push(p.collect(kindTuple, items, maxPickleItems))
	case opDict:
		items, err := p.popMark()
		if err != nil {
			return err
		}
		p.push(p.collect(kindDict, items, 2*maxPickleItems))
	case opEmptyDict:
		p.push(&value{kind: kindDict})
	case opEmptyList, opEmptySet:
		p.pushData()
	case opList, opFrozenSet:
		items, err := p.popMark()
		if err != nil {
			return err
		}
		p.checkContained(items)
		p.pushData()
	case opAppend:
		v, err := p.pop()
		if err != nil {
			return err
		}
		p.checkContained([]*value{v})
		return p.fill(nil)
	case opSetItem:
		v, err := p.pop()
		if err != nil {
			return err
		}
		k, err := p.pop()
		if err != nil {
			return err
		}
		p.checkContained([]*value{k, v})
		return p.fill([]*value{k, v})
	default: // opAppends, opSetItems, opAddItems
		items, err := p.popMark()
		if err != nil {
			return err
		}
		p.checkContained(items)
		if op != opSetItems {
			items = nil
		}
		return p.fill(items)
	}
	return nil
}

// fill puts pairs into the container on top of the stack; elements of lists are not kept. Python
// calls methods of the container for that, which are those of a harmless class or of nothing known.
func (p *pickle) fill(pairs []*value) error {
	target, err := p.top()
	if err != nil {
		return err
	}
	switch target.kind {
	case kindGlobal, kindCall:
		p.called = true
		p.find(High, "pickle.patch", "puts items into something that is no container of its own")
	case kindDict:
		target.items = append(target.items, pairs...)
		if len(target.items) > 2*maxPickleItems { // too large for a state that matters here
			*target = value{}
		}
	}
	return nil
}

// stepData handles the opcodes that push numbers, strings and bytes.
func (p *pickle) stepData(op byte) error {
	switch op {
	case opNone, opNewTrue, opNewFalse, opNextBuffer:
		p.pushData()
		return nil
	case opReadonlyBuffer:
		_, err := p.top()
		return err
	case opBinFloat:
		p.pushData()
		return p.src.skip(8)
	case opBinInt, opBinInt1, opBinInt2:
		width := widthOf(op)
		n, err := p.length(width)
		if err != nil {
			return err
		}
		v := int64(n)
		if width == 4 {
			v = int64(int32(n)) // the only one with a sign
		}
		p.push(&value{kind: kindInt, number: v})
		return nil
	case opInt, opLong, opFloat:
		s, err := p.line()
		if err != nil {
			return err
		}
		v := &value{}
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && op == opInt {
			v = &value{kind: kindInt, number: n}
		}
		p.push(v)
		return nil
	case opLong1, opLong4:
		n, err := p.length(widthOf(op))
		if err != nil {
			return err
		}
		if n > 1<<31-1 {
			return fmt.Errorf("a number of %d bytes", n)
		}
		return p.long(n)
	case opString:
		s, err := p.line()
		if err != nil {
			return err
		}
		if len(s) < 2 || s[0] != '\'' && s[0] != '"' {
			return fmt.Errorf("the string %.20q has no quotes", s)
		}
		// Escapes stay as they are: a name that needs any is on no list.
		p.pushText(s[1 : len(s)-1])
		return nil
	case opUnicode:
		s, err := p.line()
		if err == nil {
			p.pushText(s)
		}
		return err
	case opShortBinString, opShortBinUnicode, opBinString, opBinUnicode, opBinUnicode8:
		n, err := p.length(widthOf(op))
		if err != nil {
			return err
		}
		return p.text(n)
	case opShortBinBytes, opBinBytes, opBinBytes8, opByteArray8:
		n, err := p.length(widthOf(op))
		if err != nil {
			return err
		}
		p.pushData()
		return p.src.skip(n)
	default:
		return fmt.Errorf("there is no opcode %#02x", op)
	}
}

// long reads a number of n bytes in two's complement, of which those up to eight bytes are kept.
func (p *pickle) long(n uint64) error {
	if n > 8 {
		p.pushData()
		return p.src.skip(n)
	}
	data, err := p.src.take(int(n))
	if err != nil {
		return err
	}
	var full [8]byte
	if n > 0 && data[n-1] >= 0x80 {
		full = [8]byte{255, 255, 255, 255, 255, 255, 255, 255}
	}
	copy(full[:], data)
	p.push(&value{kind: kindInt, number: int64(binary.LittleEndian.Uint64(full[:]))})
	return nil
}

// length reads a little-endian number of width bytes.
func (p *pickle) length(width int) (uint64, error) {
	var b [8]byte
	_, err := io.ReadFull(p.src, b[:width])
	return binary.LittleEndian.Uint64(b[:]), unexpected(err)
}

// widthOf returns the bytes of the number, or of the length, that follows an opcode.
func widthOf(op byte) int {
	switch op {
	case opBinInt2, opExt2:
		return 2
	case opBinInt, opLong4, opBinString, opBinUnicode, opBinBytes, opExt4:
		return 4
	case opBinUnicode8, opBinBytes8, opByteArray8:
		return 8
	default: // opBinInt1, opLong1, opShortBinString, opShortBinUnicode, opShortBinBytes, opExt1
		return 1
	}
}
