package flow

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/sentinel"
)

// MaxService is the longest name of a service, in UTF-16 code units.
const MaxService = 255

// CheckService returns a [*flussi.ValueError] if the name of a service is not valid. A valid name
// has no control characters, no invisible characters such as zero-width spaces or bidirectional
// marks, and no blanks at its ends. Two names that look the same must not be two services: a
// message that one service has sent is not recognised for another one.
func CheckService(name string) error {
	fail := func(err error, reason string) error {
		return &flussi.ValueError{Type: "Service", Err: err, Reason: reason}
	}
	switch {
	case strings.TrimSpace(name) == "":
		return fail(flussi.ErrEmpty, "Manca il servizio.")
	case !utf8.ValidString(name):
		return fail(flussi.ErrCharacter, "Il nome del servizio contiene caratteri non validi: riscrivere il nome.")
	case strings.ContainsFunc(name, func(r rune) bool {
		return invisible(r) || unicode.IsSpace(r) && r != ' ' && !unicode.Is(unicode.Zs, r)
	}):
		return fail(flussi.ErrCharacter, "Il nome del servizio contiene caratteri invisibili: riscrivere il nome a mano.")
	case strings.TrimSpace(name) != name:
		return fail(flussi.ErrCharacter, "Il nome del servizio comincia o finisce con uno spazio: togliere lo spazio.")
	}
	if n := flussi.NewText(name).Length(); n > MaxService {
		return fail(flussi.ErrLength, italian.Length("Il nome del servizio", n, 1, MaxService, ""))
	}
	return nil
}

// ServiceSkeleton returns a key that is equal for names of services that look alike. It ignores
// upper and lower case and the kinds of blanks, hyphens and quotes, and replaces Cyrillic and Greek
// letters by the Latin ones that they look like. It is "" only for a name that [CheckService]
// refuses. Stores find similar names by it; it must not be used for authorisation.
func ServiceSkeleton(name string) string {
	// plainSign comes first, because NFKC decomposes an acute accent into a blank and a combining
	// accent. A Caser has state, so each call makes its own.
	folded := strings.ReplaceAll(cases.Fold().String(norm.NFKC.String(strings.Map(plainSign, NormalizeText(name)))), "i\u0307", "i") // İ
	return NormalizeText(strings.Map(func(r rune) rune {
		if like, found := lookalikes[r]; found {
			return like
		}
		return r
	}, folded))
}

// plainSign returns the ASCII hyphen or apostrophe for a character that looks like one.
func plainSign(r rune) rune {
	switch {
	case unicode.Is(unicode.Pd, r) || r == '\u2212' || r == '\u02D7':
		return '-'
	case r == '\u2800': // a blank in Braille
		return ' '
	case r == '\u2018' || r == '\u2019' || r == '\u201B' || r == '\u02B9' || r == '\u02BC' || r == '\u2032' || r == '\u00B4' || r == '`':
		return '\''
	}
	return r
}

// lookalikes maps lower-case letters to the Latin letters that they, or their capitals, look like.
var lookalikes = map[rune]rune{
	'а': 'a', 'в': 'b', 'е': 'e', 'к': 'k', 'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p', 'с': 'c', 'т': 't', 'у': 'y', 'х': 'x',
	'ѕ': 's', 'і': 'i', 'ј': 'j', 'ԁ': 'd', 'ԛ': 'q', 'ԝ': 'w', 'ѵ': 'v', 'һ': 'h', 'ӏ': 'l',
	'α': 'a', 'β': 'b', 'ε': 'e', 'ζ': 'z', 'η': 'h', 'ι': 'i', 'κ': 'k', 'μ': 'm', 'ν': 'n', 'ο': 'o', 'ρ': 'p', 'τ': 't', 'υ': 'y', 'χ': 'x',
	'ı': 'i', 'ɑ': 'a', 'ɡ': 'g', 'ё': 'ë', 'ї': 'ï', 'օ': 'o', 'ո': 'n', 'ս': 'u', 'ց': 'g',
}

// ErrSimilarService: the service's name differs from that of an existing one, but looks like it.
var ErrSimilarService = sentinel.New("name of another service, spelt in another way", "Il nome del servizio è simile a quello di un servizio esistente: scriverlo esattamente come quello.", flussi.ErrExists)

// SimilarServiceError is the error of a store that refuses the first flow or notification of a
// service whose name looks like that of an existing one. It wraps [ErrSimilarService].
type SimilarServiceError struct {
	Service  string // the refused name
	Existing string // the name of the existing service
}

// Error describes the refusal for programs and logs.
func (e *SimilarServiceError) Error() string {
	return fmt.Sprintf("service %q: %v: there is %q", e.Service, ErrSimilarService, e.Existing)
}

// Unwrap returns [ErrSimilarService].
func (e *SimilarServiceError) Unwrap() error { return ErrSimilarService }

// Italian describes the refusal for the operator.
func (e *SimilarServiceError) Italian() string {
	return fmt.Sprintf("Il servizio %s è simile a %s, che esiste già: scrivere il nome esattamente come quello esistente.", italian.Quote(e.Service), italian.Quote(e.Existing))
}
