package flow

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Digest is equal for drafts that are the same message for the same citizen: see [Draft.Digest].
// It does not reveal its input, but a guess of the whole input can be checked against it, so it
// is erased with the personal data.
type Digest [16]byte

// DigestVersion is the version of the input of a [Digest]. A store that keeps digests in a column
// also keeps their version, and recomputes the digests of another version.
const DigestVersion = 2

// Digest returns the digest of the draft; the zero Digest if it has no recipient. Two drafts are
// the same message if they have the same recipient, subject, content, notice number, amount, due
// date (to the second), occasion, buttons and remote content (ID and configuration). Other options,
// such as whether the content is plain text, are ignored.
//
// Texts are compared in Unicode's form NFC, with each run of white space as one blank and none at
// the ends, and without invisible characters (controls, zero-width characters, soft hyphens,
// bidirectional marks, variation selectors). Occasions are also compared without case.
func (d Draft) Digest() Digest {
	if d.Recipient.IsZero() {
		return Digest{}
	}
	var buffer [1024]byte // avoids an allocation for most drafts
	input := append(buffer[:0], DigestVersion)
	for _, part := range [...]string{
		d.Recipient.Reveal(), NormalizeText(d.Subject.Reveal()), NormalizeText(d.Content.Reveal()), d.NoticeNumber.Reveal(), normalOccasion(d.Occasion),
	} {
		input = binary.BigEndian.AppendUint64(input, uint64(len(part))) // so that the parts are not ambiguous
		input = append(input, part...)
	}
	input = binary.BigEndian.AppendUint64(input, uint64(d.Amount))
	if !d.DueDate.IsZero() {
		input = binary.BigEndian.AppendUint64(input, uint64(d.DueDate.Unix()))
	}
	if d.Options != (Options{}) {
		input = d.Options.appendIdentity(input)
	}
	sum := sha256.Sum256(input)
	return Digest(sum[:16])
}

// appendIdentity appends the options that distinguish messages. It appends nothing for an empty
// one, so drafts without options keep the digests that they had before there were options. The
// first byte of a part differs from that of any due date.
func (o Options) appendIdentity(input []byte) []byte {
	for i, part := range o.identity() {
		if part = NormalizeText(part); part != "" {
			input = append(input, byte(i+1))
			input = binary.BigEndian.AppendUint64(input, uint64(len(part)))
			input = append(input, part...)
		}
	}
	return input
}

// IsZero reports whether there is no digest.
func (d Digest) IsZero() bool { return d == Digest{} }

// String returns the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// SameOccasion reports whether two occasions are the same, as [Draft.Digest] compares them.
func SameOccasion(a, b string) bool { return normalOccasion(a) == normalOccasion(b) }

// normalOccasion returns the form in which occasions are compared.
func normalOccasion(occasion string) string { return strings.ToLower(NormalizeText(occasion)) }

// NormalizeText returns the form in which [Draft.Digest] compares texts: NFC, with single blanks
// and without invisible characters.
func NormalizeText(text string) string {
	text = strings.TrimSpace(text)
	if isNormal(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	blank, composed := false, true
	for _, r := range text {
		switch {
		case r > ' ' && r < 0x7F: // the most frequent case
		case unicode.IsSpace(r):
			blank = b.Len() > 0
			continue
		case invisible(r):
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		composed = composed && r < firstCombining
		b.WriteRune(r)
	}
	if composed {
		return b.String()
	}
	return norm.NFC.String(b.String())
}

// isNormal reports whether NormalizeText returns the text unchanged, since it consists of Latin
// letters and punctuation with single blanks, as most texts do.
func isNormal(text string) bool {
	blank := true // before the text
	for _, r := range text {
		switch {
		case r > ' ' && r < 0x7F, isLatin(r):
			blank = false
		case r == ' ' && !blank:
			blank = true
		default:
			return false
		}
	}
	return !blank
}

// firstCombining is the first character that NFC may change.
const firstCombining = 0x300

// isLatin reports whether a character is a visible one behind ASCII that NFC does not change.
func isLatin(r rune) bool {
	const noBreakSpace, softHyphen = 0xA0, 0xAD
	return r > noBreakSpace && r != softHyphen && r < firstCombining
}

// invisible reports whether a character other than white space is not displayed.
func invisible(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7F
	case isLatin(r):
		return false
	}
	const brailleBlank = '\u2800'
	return r == brailleBlank || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
