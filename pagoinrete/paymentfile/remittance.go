package paymentfile

import (
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/flussi-go/flussi"
)

// Remittance is what the causale of a bank transfer names: a settlement or a single payment. Banks
// wrap causali, cut them and change their characters. A Remittance holds only what is certain. A
// causale that has nothing to do with pagoPA has no IDs, Prefix, Cut and Reference: see
// [Remittance.IsZero].
type Remittance struct {
	// IDs are the identifiers of settlements that the causale can name: usually one. There are two
	// if it is unclear whether a dash at the end belongs to the identifier. Look for a known
	// settlement with either.
	IDs []string
	// Prefix is "" if IDs are certainly whole. Otherwise the text ended or was wrapped at the
	// identifier, which may continue. If no known settlement has one of the IDs, look for known
	// ones whose identifier begins with Prefix.
	Prefix string
	// Cut: the causale names a settlement or a single payment, but its identifier is certainly
	// incomplete. There are no IDs. Of a settlement Prefix is its beginning, "" if even that is
	// missing. Of a single payment Reference is its beginning, RFB or RFS if even that is missing.
	Cut bool
	// Supplementary: an earlier bank transfer belongs to the same settlement.
	Supplementary bool
	// Progress is the number behind TXT, 0 to 9; -1 if there is none.
	Progress int
	// Reference and Amount are those of a single payment (/RFB/, /RFS/), which no settlement has.
	Reference Reference
	Amount    flussi.Cents // see Reference
}

// IsZero reports whether the causale names nothing of pagoPA.
func (r Remittance) IsZero() bool {
	return len(r.IDs) == 0 && r.Prefix == "" && !r.Cut && r.Reference.IsZero()
}

// LogValue describes it without the reference.
func (r Remittance) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("ids", r.IDs), slog.Bool("cut", r.Cut), slog.Bool("single", !r.Reference.IsZero()))
}

// ParseRemittance parses a causale in the form in which a bank gives it. It accepts any text.
func ParseRemittance(causale flussi.Text) Remittance { return readRemittance(causale.Reveal()) }

// between matches a slash, and what banks write in place of one.
const between = `[\s/.:|\\]`

var (
	// settlementURI and the next four match parts of the causale of a settlement. Their words may
	// have blanks in them.
	settlementURI = regexp.MustCompile(`(?i)\bU\s?R\s?I` + between + `+`)
	guidelines    = regexp.MustCompile(`(?i)\bL\s?G\s?P\s?E\b`)
	riversamento  = regexp.MustCompile(`(?i)R\s?I\s?V\s?E\s?R\s?S\s?A\s?M\s?E\s?N\s?T\s?O`)
	progress      = regexp.MustCompile(`(?i)\bT\s?X\s?T` + between + `+([0-9])` + between + `*$`)
	integrative   = regexp.MustCompile(`(?i)\bIntegrativo\b`)
	// wholeDate matches a date that may have blanks in it.
	wholeDate = regexp.MustCompile(`^[0-9]\s{0,2}[0-9]\s{0,2}[0-9]\s{0,2}[0-9]\s{0,2}-\s{0,2}[0-9]\s{0,2}[0-9]\s{0,2}-\s{0,2}[0-9]\s{0,2}[0-9]`)
	partOfID  = regexp.MustCompile(`^[A-Za-z0-9_-]+`)
	partOfDay = regexp.MustCompile(`^[0-9][0-9\s-]*`)

	// singleSlash matches a single payment whose fields end with slashes, and may have blanks in
	// them.
	singleSlash = regexp.MustCompile(`(?i)\bRF[BS]\s*/\s*([A-Z0-9][A-Z0-9\s]{0,60}?)\s*/\s*([0-9]{1,9}[.,][0-9]{2})(?:[^0-9]|$)`)
	singleOther = regexp.MustCompile(`(?i)\bRF[BS]` + between + `+([A-Z0-9]{1,35})` + between + `+([0-9]{1,9}[.,][0-9]{2})(?:[^0-9]|$)`)
	singleCut   = regexp.MustCompile(`\b(RF[BS])\s*/\s*([A-Z0-9\s]*)`)
)

// readRemittance parses the causale, which is the first text, and others that repeat parts of it.
func readRemittance(texts ...string) Remittance {
	r := Remittance{Progress: -1}
	var cut Reference
	for _, text := range texts {
		if r.Reference.IsZero() && len(r.IDs) == 0 {
			left := r.single(text)
			if cut.IsZero() {
				cut = left
			}
		}
		if r.Reference.IsZero() {
			r.settlement(text)
		}
	}
	if r.Reference.IsZero() && len(r.IDs) == 0 && r.Prefix == "" && !cut.IsZero() {
		r.Reference, r.Cut = cut, true
	}
	return r
}

// single reads a single payment. If it was cut, single returns what is left of its reference.
func (r *Remittance) single(text string) (left Reference) {
	for _, form := range []*regexp.Regexp{singleSlash, singleOther} {
		found := form.FindStringSubmatch(text)
		if found == nil || !strings.ContainsAny(found[1], "0123456789") { // a word, such as a name
			continue
		}
		if amount, ok := parseAmount(strings.Replace(found[2], ",", ".", 1)); ok {
			r.Reference, r.Amount = NewReference(strings.Join(strings.Fields(found[1]), "")), amount
			r.Cut = false
			return Reference{}
		}
	}
	found := singleCut.FindStringSubmatch(text)
	if found == nil {
		return Reference{}
	}
	own := ""
	for _, part := range strings.Fields(found[2]) {
		if !strings.ContainsAny(part, "0123456789") || len(own)+len(part) > MaxReference {
			break
		}
		own += part
	}
	if own == "" {
		own = found[1]
	}
	return NewReference(own)
}

// found is one place at which a causale names a settlement.
type found struct {
	ids    []string
	prefix string
	cut    bool
}

// maxURIs is how many identifiers are looked for in a text. The causale of a journal has room for
// ten.
const maxURIs = 100

// settlement reads the settlements that a text names.
func (r *Remittance) settlement(text string) {
	begin := 0 // behind the last URI
	named := false
	for _, at := range settlementURI.FindAllStringIndex(text, maxURIs) {
		before := text[begin:at[0]]
		begin = at[1]
		ours := riversamento.MatchString(before)
		f, ok := readID(text[at[1]:])
		if !ours && (!ok || f.cut || !strings.Contains(f.ids[0][len("2006-01-02"):], "-")) {
			continue // other programs write URI too
		}
		named = true
		r.take(f)
		if number := progress.FindStringSubmatch(before); number != nil && r.Progress < 0 {
			r.Progress, _ = strconv.Atoi(number[1])
			r.Supplementary = r.Supplementary || r.Progress > 0
		}
		r.Supplementary = r.Supplementary || integrative.MatchString(before)
	}
	if !named && len(r.IDs) == 0 && guidelines.MatchString(text) {
		r.Cut = true // before the identifier
	}
}

// take adds what was found at one place. A whole identifier replaces one that was cut.
func (r *Remittance) take(f found) {
	if f.cut {
		if len(r.IDs) == 0 {
			r.Cut = true
			if len(f.prefix) > len(r.Prefix) {
				r.Prefix = f.prefix
			}
		}
		return
	}
	longer := func(id string) bool { return len(id) > len(r.Prefix) && strings.HasPrefix(id, r.Prefix) }
	if len(r.IDs) == 0 || r.Prefix != "" && !slices.ContainsFunc(f.ids, func(id string) bool { return !longer(id) }) {
		r.IDs, r.Cut, r.Prefix = nil, false, f.prefix // what was found before is the beginning of f
	}
	for _, id := range f.ids {
		echo := slices.ContainsFunc(r.IDs, func(known string) bool { return strings.HasPrefix(known, id) })
		if !echo {
			r.IDs = append(r.IDs, id)
		}
	}
}

// readID reads the identifier at the beginning of a text: ten characters of a date, the PSP, a
// dash, and the PSP's own part. It reports false if there is not even a digit.
func readID(text string) (found, bool) {
	date := wholeDate.FindString(text)
	if date == "" {
		day := strings.Join(strings.Fields(partOfDay.FindString(text)), "")
		return found{cut: true, prefix: day}, day != ""
	}
	rest := text[len(date):]
	date = strings.Join(strings.Fields(date), "")
	trimmed := strings.TrimLeft(rest, " \t\r\n")
	blank := len(trimmed) < len(rest)
	own := partOfID.FindString(trimmed)
	id := date + own
	bare := strings.TrimRight(id, "-")
	// The identifier may continue if the text ends or was wrapped here.
	ended := len(bare) < MaxReference && (len(own) == len(trimmed) || strings.IndexByte(" \t\r\n", trimmed[len(own)]) >= 0)
	switch dash := strings.LastIndexByte(own, '-'); {
	case own == "" || own == "-":
		return found{cut: true, prefix: date}, true
	case len(bare) > MaxReference:
		return found{cut: true, prefix: date}, true // too long: another text was joined to the identifier
	case dash == len(own)-1 && strings.Count(own, "-") == 1:
		return found{cut: true, prefix: id}, true // the PSP's own part is missing
	case dash == len(own)-1:
		f := found{ids: []string{bare, id}}
		if ended {
			f.prefix = id
		}
		return f, true
	case dash < 0 && blank && !strings.ContainsAny(own, "0123456789"):
		return found{cut: true, prefix: date}, true // a word, such as a name
	case dash < 0 && blank:
		// The blank may be in the identifier or after it.
		return found{ids: []string{id}, prefix: date}, true
	case dash < 0 || ended:
		return found{ids: []string{id}, prefix: id}, true
	}
	return found{ids: []string{id}}, true
}
