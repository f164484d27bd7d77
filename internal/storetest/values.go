package storetest

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Now is the time of the next entity or change: a second later each time.
func (p *Probe) Now() time.Time {
	p.made++
	return time.Date(2026, time.March, 28, 23, 0, 0, 123_456_000, time.UTC).Add(time.Duration(p.made) * time.Second)
}

// Made is how many times [Probe.Now] was asked for.
func (p *Probe) Made() int { return p.made }

// ID returns an ID that sorts anywhere.
func (p *Probe) ID() uuid.UUID {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(p.Random.UintN(256))
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // version 4
	p.ids = append(p.ids, id)
	return id
}

// newIDs returns the IDs that were made since it was called last, and some that were made before.
func (p *Probe) newIDs() []uuid.UUID {
	const again = 50 // an ID may be refused more than once
	first := max(0, min(p.returned, len(p.ids)-again))
	p.returned = len(p.ids)
	return p.ids[first:]
}

// Fill gives every field of a struct a value that is not zero, and its flags the one that
// is given. A list that is empty gets a few entries, one that is not is filled where it is.
func (p *Probe) Fill(pointer any, flags bool) {
	for _, f := range Fields(pointer) {
		switch field := f.Pointer.(type) {
		case *time.Time:
			*field = p.SomeTime()
		case *uuid.UUID:
			*field = p.ID()
		case *flussi.Text:
			*field = flussi.NewText(p.Word())
		case *flussi.FiscalCode:
			*field = p.FiscalCode()
		case *flussi.NoticeNumber:
			*field = p.NoticeNumber()
		case *flussi.IUV:
			*field = p.NoticeNumber().IUV()
		case *flussi.OrganizationCode:
			*field = p.OrganizationCode()
		case encoding.TextUnmarshaler: // a type of another package that takes any text
			if err := field.UnmarshalText([]byte(p.Word())); err != nil {
				panic(err)
			}
		default:
			switch v := reflect.ValueOf(field).Elem(); v.Kind() {
			case reflect.String:
				v.SetString(p.Word())
			case reflect.Bool:
				v.SetBool(flags)
			case reflect.Int, reflect.Int64:
				v.SetInt(1 + p.Random.Int64N(1000))
			case reflect.Array: // of bytes
				for i := range v.Len() {
					v.Index(i).SetUint(1 + p.Random.Uint64N(255))
				}
			case reflect.Slice:
				v.Set(reflect.MakeSlice(v.Type(), 3, 3))
				p.Fill(f.Pointer, flags)
			default:
				panic(fmt.Sprintf("storetest cannot make up a %s", v.Type()))
			}
		}
	}
}

// SomeTime returns a time in these years, to the microsecond.
func (p *Probe) SomeTime() time.Time {
	return time.Date(2021, time.January, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(p.Random.Int64N(10*365*24*3600*1e6)) * time.Microsecond)
}

// Word returns a text of letters, as no other field has it.
func (p *Probe) Word() string {
	var word strings.Builder
	for range 12 {
		word.WriteByte(byte('a' + p.Random.IntN(26)))
	}
	return word.String()
}

// FiscalCode returns one of many fiscal codes.
func (p *Probe) FiscalCode() flussi.FiscalCode {
	return parsed(flussi.ParseFiscalCode(fmt.Sprintf("RSSMRA%02dA%02dH%03dU", p.Random.IntN(100), 1+p.Random.IntN(28), p.Random.IntN(1000))))
}

// NoticeNumber returns one of many notice numbers.
func (p *Probe) NoticeNumber() flussi.NoticeNumber {
	return parsed(flussi.ParseNoticeNumber(fmt.Sprintf("0%017d", p.Random.Int64N(1e17))))
}

// OrganizationCode returns one of many codes.
func (p *Probe) OrganizationCode() flussi.OrganizationCode {
	return parsed(flussi.ParseOrganizationCode(fmt.Sprintf("0%010d", 1+p.Random.Int64N(1e10-1))))
}

// parsed returns a code that is in order by its making.
func parsed[T any](code T, err error) T {
	if err != nil {
		panic(err)
	}
	return code
}

// Awkward is what has come back as something else from one database or another: quotes
// and escapes, spaces at both ends, line breaks, an accent in one character and in two,
// characters outside the first plane, joined and from right to left.
const Awkward = " \t'\"`\\ \\' %_ $1 :a ?; -- <&amp;> {{.}}\r\n\n è e\u0300 ẞß ﬁ œ € 𝄞 👩‍👩‍👧‍👦 🇮🇹 שלום مرحبا \u200b\ufeff\ufffd \u2028 "

// TooLong is a text as long as a message may be.
func TooLong() string {
	runes := []rune(strings.Repeat(Awkward, 10_000/len([]rune(Awkward))+1))
	return string(runes[:9_999]) + "."
}

// SetTexts gives every text of a struct, one that masks itself the first and any other
// the second.
func SetTexts(pointer any, text, plain string) {
	for _, f := range Fields(pointer) {
		switch field := f.Pointer.(type) {
		case *flussi.Text:
			*field = flussi.NewText(text)
		case *string:
			*field = plain
		}
	}
}

// Moments returns times that have come back as others: between hours that do not exist in
// Rome, before 1970, and with more digits than stores keep.
func Moments() []time.Time {
	rome := time.FixedZone("CEST", 2*60*60)
	return []time.Time{
		time.Date(2026, time.March, 29, 2, 30, 0, 123_456_000, time.UTC),
		time.Date(2026, time.March, 29, 0, 30, 59, 999_999_000, rome),
		time.Date(2026, time.December, 31, 23, 59, 59, 123_456_789, rome),
		time.Date(1969, time.December, 31, 23, 59, 59, 999_999_000, time.UTC),
		time.Now(),
	}
}

// SetTimes gives every time of a struct.
func SetTimes(pointer any, t time.Time) {
	for _, field := range Fields(pointer) {
		if value, ok := field.Pointer.(*time.Time); ok {
			*value = t
		}
	}
}

// HasTimes checks that every time of a struct is the given one to the microsecond,
// whichever way it was rounded.
func (p *Probe) HasTimes(what string, pointer any, given time.Time) {
	for _, field := range Fields(pointer) {
		got, ok := field.Pointer.(*time.Time)
		if ok && (got.Sub(given).Abs() >= time.Microsecond || got.Nanosecond()%1000 != 0 || got.Location() != time.UTC) {
			p.Fail("%s, %s: stored %s, want it exactly to the microsecond, cut or rounded, never finer, and in UTC, got %s",
				what, field.Name, show(given), show(*got))
		}
	}
}
