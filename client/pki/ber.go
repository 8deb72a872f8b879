package pki

import (
	"bytes"
	"errors"
)

// What a PKCS #7 or PKCS #12 file may have. Real ones of a megabyte stay far below: a certificate has some hundred elements,
// a dozen deep.
const (
	berDepth    = 32
	berElements = 1 << 16
	berWork     = 12 << 20 // the sum over all containers of their bytes, which is what re-encoding copies
)

// definite gives BER with definite lengths, and refuses what parsers trip over. go.mozilla.org/pkcs7 does not check that a
// child ends inside its parent: 16 KB cost it seconds and gigabytes, and two megabytes of 30 80 the stack, which recover
// does not catch; an empty container of indefinite length it cannot read at all. The walk is linear, and DER comes back
// as it is.
func definite(raw []byte) ([]byte, error) {
	w := berWalk{raw: raw}
	end, size, err := w.measure(0, len(raw), 1)
	if err != nil {
		return nil, err
	}
	if len(bytes.Trim(raw[end:], "\r\n\t \x00")) > 0 { // a line end does no harm
		return nil, errors.New("something stands behind its end")
	}
	if !w.changes {
		return raw[:end], nil
	}
	w.out = make([]byte, 0, size)
	w.write(0)
	return w.out, nil
}

type berWalk struct {
	raw     []byte
	lengths []int // of the content of every container as it is written, in their order
	count   int
	work    int
	changes bool // something is not as DER writes it

	out  []byte
	next int // the container in lengths that is written next
}

// header reads the identifier and the length at i. length is -1 for the indefinite form.
func (w *berWalk) header(i, limit int) (content, length int, err error) {
	if limit-i < 2 {
		return 0, 0, errors.New("it is cut off")
	}
	if w.raw[i]&0x1f == 0x1f {
		return 0, 0, errors.New("it has a tag that certificates do not have")
	}
	first := int(w.raw[i+1])
	content = i + 2
	switch {
	case first < 0x80:
		length = first
	case first == 0x80:
		if w.raw[i]&0x20 == 0 {
			return 0, 0, errors.New("the length of a value is missing")
		}
		return content, -1, nil
	default:
		n := first & 0x7f
		if n > 4 || limit-content < n {
			return 0, 0, errors.New("it is cut off")
		}
		for _, b := range w.raw[content : content+n] {
			length = length<<8 | int(b)
		}
		content += n
		w.changes = w.changes || headerSize(length) != 2+n
	}
	if length > limit-content {
		return 0, 0, errors.New("it is cut off, or one of its parts is longer than the whole")
	}
	return content, length, nil
}

// measure checks the element at i and everything in it. It gives its end and its size as it will be written.
func (w *berWalk) measure(i, limit, depth int) (end, size int, err error) {
	content, length, err := w.header(i, limit)
	if err != nil {
		return 0, 0, err
	}
	if w.count++; w.count > berElements {
		return 0, 0, errors.New("it has too many parts")
	}
	if w.raw[i]&0x20 == 0 {
		return content + length, headerSize(length) + length, nil
	}
	if depth > berDepth {
		return 0, 0, errors.New("its parts are nested too deeply")
	}
	slot := len(w.lengths)
	w.lengths = append(w.lengths, 0)
	stop := content + length
	if length < 0 {
		w.changes, stop = true, limit
	}
	octets := w.raw[i] == 0x24
	w.changes = w.changes || octets
	at, inner := content, 0
	for {
		if length >= 0 && at == stop {
			break
		}
		if length < 0 && stop-at >= 2 && w.raw[at] == 0 && w.raw[at+1] == 0 {
			at += 2
			break
		}
		if octets && at < stop && w.raw[at]&^0x20 != 0x04 {
			return 0, 0, errors.New("a value is put together from parts of another kind")
		}
		part := len(w.lengths)
		next, n, err := w.measure(at, stop, depth+1)
		if err != nil {
			return 0, 0, err
		}
		if octets { // the parts are joined, and their headers go
			n = w.payload(at, stop, part)
		}
		inner, at = inner+n, next
	}
	if w.work += inner; w.work > berWork {
		return 0, 0, errors.New("its parts are nested too deeply")
	}
	w.lengths[slot] = inner
	return at, headerSize(inner) + inner, nil
}

// payload is the length of a part of an octet string, whose place in lengths is slot if it has parts itself.
func (w *berWalk) payload(i, limit, slot int) int {
	if w.raw[i] == 0x24 {
		return w.lengths[slot]
	}
	_, length, _ := w.header(i, limit)
	return length
}

// write writes the element at i, which measure has checked, and gives its end.
func (w *berWalk) write(i int) int {
	content, length, _ := w.header(i, len(w.raw))
	if w.raw[i]&0x20 == 0 {
		w.head(w.raw[i], length)
		w.out = append(w.out, w.raw[content:content+length]...)
		return content + length
	}
	tag := w.raw[i]
	if tag == 0x24 {
		w.head(0x04, w.lengths[w.next])
		return w.join(i)
	}
	w.head(tag, w.lengths[w.next])
	w.next++
	return w.inside(content, length, w.write)
}

// join writes the bytes of an octet string in parts, without any header.
func (w *berWalk) join(i int) int {
	content, length, _ := w.header(i, len(w.raw))
	if w.raw[i]&0x20 == 0 {
		w.out = append(w.out, w.raw[content:content+length]...)
		return content + length
	}
	w.next++
	return w.inside(content, length, w.join)
}

func (w *berWalk) inside(at, length int, each func(int) int) int {
	end := at + length
	for length < 0 || at < end {
		if length < 0 && w.raw[at] == 0 && w.raw[at+1] == 0 {
			return at + 2
		}
		at = each(at)
	}
	return end
}

func (w *berWalk) head(tag byte, length int) {
	w.out = append(w.out, tag)
	if length < 0x80 {
		w.out = append(w.out, byte(length))
		return
	}
	n := headerSize(length) - 2
	w.out = append(w.out, 0x80|byte(n))
	for shift := 8 * (n - 1); shift >= 0; shift -= 8 {
		w.out = append(w.out, byte(length>>shift))
	}
}

// headerSize is how many bytes DER takes for an identifier and a length.
func headerSize(length int) int {
	n := 2
	if length >= 0x80 {
		for ; length > 0; length >>= 8 {
			n++
		}
	}
	return n
}
