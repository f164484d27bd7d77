package italian_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/internal/italian"
)

func TestNumbersHavePointsBetweenThousands(t *testing.T) {
	for n, want := range map[int]string{
		0: "0", 1: "1", 12: "12", 999: "999", 1000: "1.000", 12_000: "12.000", 123_456: "123.456",
		1_234_567: "1.234.567", -1: "-1", -999: "-999", -1000: "-1.000", -123_456: "-123.456",
		math.MaxInt64: "9.223.372.036.854.775.807", math.MinInt64: "-9.223.372.036.854.775.808",
	} {
		assert.Equal(t, want, italian.Number(n))
	}
}

func TestCountsAgreeWithTheirNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0 righe", 1: "1 riga", 2: "2 righe", 1000: "1.000 righe", 1001: "1.001 righe"} {
		assert.Equal(t, want, italian.Count(n, "riga", "righe"))
		assert.Equal(t, want, italian.Row.Count(n))
	}
}

func TestMomentsAreInItalianTime(t *testing.T) {
	assert.Equal(t, "30/11/2026 alle 07:14", italian.Moment(time.Date(2026, 11, 30, 6, 14, 59, 0, time.UTC)))
	assert.Equal(t, "01/07/2026 alle 00:30", italian.Moment(time.Date(2026, 6, 30, 22, 30, 0, 0, time.UTC)))
	assert.Equal(t, "01/07/2026", italian.Day(time.Date(2026, 6, 30, 22, 30, 0, 0, time.UTC)))
}

func TestNoticesAreNamedByWhatTheyHave(t *testing.T) {
	assert.Equal(t, "avviso «GITA-1», rata 2 (x)", italian.NoticeOf("GITA-1", 2, "x"))
	assert.Equal(t, "avviso «GITA-1» (x)", italian.NoticeOf("GITA-1", 0, "x"))
	assert.Equal(t, "avviso della rata 2 (x)", italian.NoticeOf("", 2, "x"))
	assert.Equal(t, "avviso x", italian.NoticeOf("", 0, "x"))
}

func TestListsEndInAWord(t *testing.T) {
	for _, c := range []struct {
		names                   []string
		and, or, quoted, either string
	}{
		{nil, "", "", "", ""},
		{[]string{"a"}, "a", "a", "«a»", "«a»"},
		{[]string{"a", "b"}, "a e b", "a o b", "«a» e «b»", "«a» o «b»"},
		{[]string{"a", "b", "c"}, "a, b e c", "a, b o c", "«a», «b» e «c»", "«a», «b» o «c»"},
	} {
		assert.Equal(t, c.and, italian.And(c.names...))
		assert.Equal(t, c.or, italian.Or(c.names...))
		assert.Equal(t, c.quoted, italian.Quoted(c.names))
		assert.Equal(t, c.either, italian.QuotedOr(c.names))
	}
}

// The sentences are made of all that a noun gives.
func TestWordsAgreeWithTheirNoun(t *testing.T) {
	for _, c := range []struct {
		noun italian.Noun
		want []string // for 0, 1, 2 and 1000
	}{
		{italian.Flow, []string{
			"il flusso: 0 flussi disabilitati, riabilitarli", "il flusso: 1 flusso disabilitato, riabilitarlo",
			"il flusso: 2 flussi disabilitati, riabilitarli", "il flusso: 1.000 flussi disabilitati, riabilitarli"}},
		{italian.Notification, []string{
			"la notifica: 0 notifiche disabilitate, riabilitarle", "la notifica: 1 notifica disabilitata, riabilitarla",
			"la notifica: 2 notifiche disabilitate, riabilitarle", "la notifica: 1.000 notifiche disabilitate, riabilitarle"}},
		{italian.Event, []string{
			"l'evento: 0 eventi disabilitati, riabilitarli", "l'evento: 1 evento disabilitato, riabilitarlo",
			"l'evento: 2 eventi disabilitati, riabilitarli", "l'evento: 1.000 eventi disabilitati, riabilitarli"}},
		{italian.Notice, []string{
			"l'avviso: 0 avvisi disabilitati, riabilitarli", "l'avviso: 1 avviso disabilitato, riabilitarlo",
			"l'avviso: 2 avvisi disabilitati, riabilitarli", "l'avviso: 1.000 avvisi disabilitati, riabilitarli"}},
		{italian.Row, []string{
			"la riga: 0 righe disabilitate, riabilitarle", "la riga: 1 riga disabilitata, riabilitarla",
			"la riga: 2 righe disabilitate, riabilitarle", "la riga: 1.000 righe disabilitate, riabilitarle"}},
		{italian.Message, []string{
			"il messaggio: 0 messaggi disabilitati, riabilitarli", "il messaggio: 1 messaggio disabilitato, riabilitarlo",
			"il messaggio: 2 messaggi disabilitati, riabilitarli", "il messaggio: 1.000 messaggi disabilitati, riabilitarli"}},
		{italian.Character, []string{
			"il carattere: 0 caratteri disabilitati, riabilitarli", "il carattere: 1 carattere disabilitato, riabilitarlo",
			"il carattere: 2 caratteri disabilitati, riabilitarli", "il carattere: 1.000 caratteri disabilitati, riabilitarli"}},
	} {
		for i, n := range []int{0, 1, 2, 1000} {
			assert.Equal(t, c.want[i], fmt.Sprintf("%s: %s %s, %s",
				c.noun.The(), c.noun.Count(n), c.noun.Agree(n, "disabilitat"), c.noun.Object(n, "riabilitar")))
		}
	}
}

func TestReservedNamesTheRoles(t *testing.T) {
	for want, roles := range map[string][]string{
		"L'operazione è riservata al ruolo «operatore».":           {"operatore"},
		"L'operazione è riservata ai ruoli «DSGA» e «A.A.».":       {"DSGA", "A.A."},
		"L'operazione è riservata ai ruoli «DSGA», «A.A.» e «DS».": {"DSGA", "A.A.", "DS"},
	} {
		assert.Equal(t, want, italian.Reserved("L'operazione", roles))
	}
}

func TestLengthsSayWhatIsWanted(t *testing.T) {
	for _, c := range []struct {
		n, least, most int
		note, want     string
	}{
		{0, 1, 10, "", "Il codice è vuoto."},
		{0, 10, 120, "", "Il codice è vuoto."},
		{1, 10, 120, "", "Il codice ha 1 carattere: devono essere da 10 a 120."},
		{12_000, 120, 10_000, "", "Il codice ha 12.000 caratteri: devono essere da 120 a 10.000."},
		{12_000, 120, 10_000, "ogni emoji conta due", "Il codice ha 12.000 caratteri (ogni emoji conta due): devono essere da 120 a 10.000."},
		{1, 2, 2, "", "Il codice ha 1 carattere: devono essere 2."},
		{2, 1, 1, "", "Il codice ha 2 caratteri: deve essere 1."},
		{2, 0, 1, "", "Il codice ha 2 caratteri: può essere al massimo 1."},
		{1_001, 1, 1_000, "", "Il codice ha 1.001 caratteri: possono essere al massimo 1.000."},
	} {
		assert.Equal(t, c.want, italian.Length("Il codice", c.n, c.least, c.most, c.note))
	}
}
