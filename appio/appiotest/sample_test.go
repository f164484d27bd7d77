package appiotest_test

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
)

func ExampleSampleCitizen() {
	for i := range 4 {
		fmt.Println(appiotest.SampleCitizen(i).Reveal(), appiotest.SampleNotice(i).Grouped())
	}
	// Output:
	// RSSGLI41A41X000S 3010 0000 0000 0000 43
	// FRRMRC63H08X389R 3010 0000 0000 0001 44
	// BNCSRA85S55X778I 3010 0000 0000 0002 45
	// SPSLSN48D22X170H 3010 0000 0000 0003 46
}

const million = 1_000_000

func TestAMillionSampleCitizensAreValidAndDistinct(t *testing.T) {
	t.Parallel()
	seen := make(map[flussi.FiscalCode]struct{}, million)
	for i := range million {
		citizen := appiotest.SampleCitizen(i)
		if citizen.IsZero() || citizen.Check() != nil {
			t.Fatalf("citizen %d: %q %v", i, citizen.Reveal(), citizen.Check())
		}
		seen[citizen] = struct{}{}
	}
	assert.Len(t, seen, million)
}

func TestAMillionSampleNoticesAreValidAndDistinct(t *testing.T) {
	t.Parallel()
	seen := make(map[flussi.NoticeNumber]struct{}, million)
	for i := range million {
		notice := appiotest.SampleNotice(i)
		if notice.AuxDigit() != 3 || notice.Check() != nil {
			t.Fatalf("notice %d: %q %v", i, notice.Reveal(), notice.Check())
		}
		seen[notice] = struct{}{}
	}
	assert.Len(t, seen, million)
}

func TestSamplesAreDistinctAcrossTheirWholeRange(t *testing.T) {
	// The parts come around after 12, 25, 31, 37, 59 and 997 citizens: what is a multiple
	// of all but one of these differs in that one alone.
	parts := []int{12, 25, 31, 37, 59, 997}
	all := 1
	for _, n := range parts {
		all *= n
	}
	assert.EqualValues(t, int64(20_240_994_300), all, "as documented")
	first := appiotest.SampleCitizen(0)
	for _, n := range parts {
		seen := map[flussi.FiscalCode]bool{}
		for k := range n {
			seen[appiotest.SampleCitizen(all/n*k)] = true
		}
		assert.Len(t, seen, n, "citizens that differ in the part with %d", n)
	}
	assert.Equal(t, first, appiotest.SampleCitizen(all))

	around := int64(1e13)
	assert.NotEqual(t, appiotest.SampleNotice(0), appiotest.SampleNotice(int(around-1)))
	assert.Equal(t, appiotest.SampleNotice(5), appiotest.SampleNotice(int(around+5)))
}

func TestSampleCitizensPassTheStrictReadingAndThePlatform(t *testing.T) {
	s := newSimulator(appiotest.Config{Unlimited: true})
	for i := range 3000 {
		citizen, notice := appiotest.SampleCitizen(i), appiotest.SampleNotice(i)
		assert.Empty(t, must.Get(flussi.ReadFiscalCode(citizen.Reveal(), flussi.Strict))(t).Changes)
		must.Get(flussi.ReadNoticeNumber(notice.Reveal(), flussi.Strict))(t)
		body := strings.Replace(valid(`,"payment_data":{"amount":1,"notice_number":"`+notice.Reveal()+`"}`), code, citizen.Reveal(), 1)
		require.Equal(t, http.StatusCreated, call(s, key, http.MethodPost, "/messages", body).StatusCode)
	}
}

func TestSampleCitizensAreNobody(t *testing.T) {
	sexes := map[flussi.Sex]int{}
	for i := range 10_000 {
		citizen := appiotest.SampleCitizen(i)
		assert.Equal(t, "X", citizen.PlaceCode()[:1], "no register has places with X")
		assert.False(t, citizen.IsOmocodic())
		sexes[citizen.Sex()]++
	}
	assert.InDelta(t, sexes[flussi.Female], sexes[flussi.Male], 1000)
}

func TestSamplesAreDefinedForEveryNumber(t *testing.T) {
	for _, i := range []int{-1, math.MinInt} {
		assert.True(t, appiotest.SampleCitizen(i).IsZero())
		assert.True(t, appiotest.SampleNotice(i).IsZero())
	}
	assert.NoError(t, appiotest.SampleCitizen(math.MaxInt).Check())
	assert.False(t, appiotest.SampleCitizen(math.MaxInt).IsZero())
	assert.False(t, appiotest.SampleNotice(math.MaxInt).IsZero())
}

func BenchmarkSampleCitizen(b *testing.B) {
	for i := range b.N {
		appiotest.SampleCitizen(i)
	}
}
