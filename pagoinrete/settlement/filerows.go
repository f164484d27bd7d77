package settlement

import (
	"bytes"
	"encoding/binary"
	"iter"
	"slices"
	"sort"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// fileRows are the rows of a settlement's file, encoded, in about 80 bytes each: a file may have a
// million of them.
type fileRows struct {
	of     Payment // has what all rows have in common
	chunks [][]byte
	places []place // sorted by the keys of the rows, once all are added
}

// place is where an encoded row begins, and how many rows with the same key are before it.
type place struct{ chunk, offset, repeat uint32 }

// chunkSize is the size of a chunk, unless a row is longer. Chunks are not copied when more come.
const chunkSize = 64 << 10

// maxRow is the maximum size of an encoded row without its texts, in bytes.
const maxRow = 9 * binary.MaxVarintLen64

// add adds a row.
func (f *fileRows) add(row paymentfile.Payment) {
	key := rowKey(row.Reference, row.IUR, row.Index)
	last := len(f.chunks) - 1
	if need := len(key) + maxRow; last < 0 || cap(f.chunks[last])-len(f.chunks[last]) < need {
		f.chunks = append(f.chunks, make([]byte, 0, chunkSize))
		last++
	}
	to := f.chunks[last]
	f.places = append(f.places, place{uint32(last), uint32(len(to)), 0})
	to = append(binary.AppendUvarint(to, uint64(len(key))), key...)
	usable := int64(0)
	if row.Usable() {
		usable = 1
	}
	for _, number := range []int64{int64(row.Number), int64(row.Index), int64(row.Amount), int64(row.Outcome),
		int64(row.Date.Year), int64(row.Date.Month), int64(row.Date.Day), usable} {
		to = binary.AppendVarint(to, number)
	}
	f.chunks[last] = to
}

// rowKey returns the bytes that identify a row in its file. Keys of one reference begin with
// [referenceKey].
func rowKey(reference paymentfile.Reference, iur string, index int) []byte {
	key := append(referenceKey(reference), byte(index))
	return append(key, iur...)
}

func referenceKey(reference paymentfile.Reference) []byte {
	text := reference.Reveal()
	return append(binary.AppendUvarint(nil, uint64(len(text))), text...)
}

// key returns the key of a row, and what is encoded behind it.
func (f *fileRows) key(at place) (key, rest []byte) {
	data := f.chunks[at.chunk][at.offset:]
	length, n := binary.Uvarint(data)
	return data[n : n+int(length)], data[n+int(length):]
}

// sort sorts the rows by their keys, once all are added. Equal ones stay in the order of the file.
func (f *fileRows) sort() {
	slices.SortStableFunc(f.places, func(a, b place) int {
		first, _ := f.key(a)
		second, _ := f.key(b)
		return bytes.Compare(first, second)
	})
	var last []byte
	for i := range f.places {
		key, _ := f.key(f.places[i])
		if i > 0 && bytes.Equal(key, last) {
			f.places[i].repeat = f.places[i-1].repeat + 1
		}
		last = key
	}
}

// references returns the references of the rows, each once, without the zero reference.
func (f *fileRows) references() iter.Seq[paymentfile.Reference] {
	return func(yield func(paymentfile.Reference) bool) {
		var last []byte
		for _, at := range f.places {
			key, _ := f.key(at)
			length, n := binary.Uvarint(key)
			reference := key[:n+int(length)]
			if length == 0 || bytes.Equal(reference, last) {
				continue
			}
			last = reference
			if !yield(paymentfile.NewReference(string(reference[n:]))) {
				return
			}
		}
	}
}

// having returns the range of f.places with the rows of a reference.
func (f *fileRows) having(reference paymentfile.Reference) (begin, end int) {
	wanted := referenceKey(reference)
	begin = sort.Search(len(f.places), func(i int) bool {
		key, _ := f.key(f.places[i])
		return bytes.Compare(key, wanted) >= 0
	})
	for end = begin; end < len(f.places); end++ {
		if key, _ := f.key(f.places[end]); !bytes.HasPrefix(key, wanted) {
			break
		}
	}
	return begin, end
}

// has reports whether a row has a reference.
func (f *fileRows) has(reference paymentfile.Reference) bool {
	begin, end := f.having(reference)
	return begin < end
}

// payment decodes the row at an index of f.places. What matching sets is still zero.
func (f *fileRows) payment(i int) Payment {
	p := f.of
	key, rest := f.key(f.places[i])
	length, n := binary.Uvarint(key)
	p.Reference = paymentfile.NewReference(string(key[n : n+int(length)]))
	p.Target, p.IUR, p.Repetition = p.Reference, string(key[n+int(length)+1:]), int(f.places[i].repeat)
	var numbers [8]int64
	for at := range numbers {
		number, n := binary.Varint(rest)
		numbers[at], rest = number, rest[n:]
	}
	p.Row, p.Index, p.Amount, p.Outcome = int(numbers[0]), int(numbers[1]), flussi.Cents(numbers[2]), paymentfile.Outcome(numbers[3])
	p.Date = paymentfile.Day{Year: int(numbers[4]), Month: time.Month(numbers[5]), Day: int(numbers[6])}.Time()
	p.Unusable = numbers[7] == 0
	p.ID = paymentID(p)
	return p
}
