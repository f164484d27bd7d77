package appio_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/sampletest"
)

// dayFeed is what was read of one day.
type dayFeed struct {
	day                      time.Time
	subscribed, unsubscribed []appio.CitizenHash
	ended, pending           bool
}

// days collects the feeds of days; the last error is that of the sequence.
func days(t *testing.T, client *appio.Client, from, to time.Time) (all []dayFeed, ended error) {
	t.Helper()
	for e, err := range client.Feeds(t.Context(), from, to) {
		require.NoError(t, ended, "an error ends the sequence")
		if len(all) == 0 || !all[len(all)-1].day.Equal(e.Day) {
			all = append(all, dayFeed{day: e.Day})
		}
		d := &all[len(all)-1]
		require.False(t, d.ended || d.pending, "nothing comes after the end of a day")
		d.ended, d.pending, ended = e.DayEnds, e.Pending, err
		switch {
		case e.DayEnds || e.Pending || err != nil:
			require.Empty(t, e.Citizen)
		case e.Subscribed:
			d.subscribed = append(d.subscribed, e.Citizen)
		default:
			d.unsubscribed = append(d.unsubscribed, e.Citizen)
		}
	}
	return all, ended
}

func TestFeedsGivesEachDayAndThenTheFirstThatIsNotThereYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, appiotest.Config{}, nil)
		first := time.Date(1999, 12, 30, 0, 0, 0, 0, time.UTC) // a bubble begins on 1 January 2000
		for i := range 3 {
			p.AddFeed("tributi", first.AddDate(0, 0, i), []flussi.FiscalCode{sampletest.FiscalCode(i)}, nil)
		}
		time.Sleep(12 * time.Hour)
		all, err := days(t, p.client, first.Add(23*time.Hour), first.AddDate(0, 0, 9))
		require.NoError(t, err)
		require.Len(t, all, 3)
		for i, got := range all {
			assert.Equal(t, first.AddDate(0, 0, i), got.day)
			assert.Equal(t, i == 2, got.pending)
		}
		assert.Equal(t, []appio.CitizenHash{appio.HashCitizen(sampletest.FiscalCode(1))}, all[1].subscribed)
		assert.Equal(t, dayFeed{day: first.AddDate(0, 0, 2), pending: true}, all[2])
		assert.Equal(t, 3, p.Received(appiotest.GetFeed), "later days are not asked for")

		time.Sleep(12 * time.Hour)
		all, err = days(t, p.client, all[2].day, all[2].day)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.False(t, all[0].pending, "the day is over now")
		assert.Equal(t, []appio.CitizenHash{appio.HashCitizen(sampletest.FiscalCode(2))}, all[0].subscribed)
	})
}

// Days are those of UTC, whatever zone the times are in: 1 January at 00:30 in Italy is the day before.
func TestFeedsCountsDaysInUTC(t *testing.T) {
	var asked []string
	client := clientOf(t, func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
		return answer(200, `{"subscriptions":[],"unsubscriptions":[]}`, nil), nil
	})
	rome := must.Get(time.LoadLocation("Europe/Rome"))(t)
	all, err := days(t, client, time.Date(2024, 2, 29, 0, 30, 0, 0, rome), time.Date(2024, 3, 2, 0, 30, 0, 0, rome))
	require.NoError(t, err)
	assert.Len(t, all, 3)
	assert.Equal(t, []string{"2024-02-28", "2024-02-29", "2024-03-01"}, asked)
	// Days of 23 and of 25 hours in Italy are whole days.
	asked = nil
	_, err = days(t, client, time.Date(2026, 3, 28, 12, 0, 0, 0, rome), time.Date(2026, 3, 30, 12, 0, 0, 0, rome))
	require.NoError(t, err)
	assert.Equal(t, []string{"2026-03-28", "2026-03-29", "2026-03-30"}, asked)
}

// A day that is over is there. If it is not, that is a failure, and not a day to wait for.
func TestFeedsTellsMissingDaysFromThoseToCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := clientOf(t, func(*http.Request) (*http.Response, error) {
			return answer(404, `{"status":404,"title":"Subscriptions feed not available yet"}`, nil), nil
		})
		midnight := time.Now().UTC() // a bubble begins at midnight
		require.Equal(t, 0, midnight.Hour())
		yesterday := midnight.AddDate(0, 0, -1)
		for day, pending := range map[time.Time]bool{midnight: true, midnight.AddDate(0, 0, 7): true, yesterday: true, yesterday.AddDate(0, 0, -1): false} {
			all, err := days(t, client, day, midnight.AddDate(0, 1, 0))
			require.Len(t, all, 1)
			assert.Equal(t, day, all[0].day)
			assert.Equal(t, pending, all[0].pending, "%v, asked at midnight", day)
			assert.Equal(t, !pending, errors.Is(err, flussi.ErrRemoteNotFound), "%v", err)
		}
		time.Sleep(time.Hour) // other clocks are not that late
		all, err := days(t, client, yesterday, midnight)
		assert.ErrorIs(t, err, flussi.ErrRemoteNotFound)
		assert.False(t, all[0].pending)
	})
}

func TestFeedsEndsWithItsFirstError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, appiotest.Config{}, func(c *appio.Config) { c.MaxAttempts = 1 })
		from := time.Now().AddDate(0, 0, -10)
		p.Fail(appiotest.GetFeed, appiotest.Fault{}, appiotest.Fault{Kind: appiotest.ServerProblem})
		all, err := days(t, p.client, from, time.Now())
		require.Len(t, all, 2)
		require.ErrorIs(t, err, flussi.ErrUnavailable)
		assert.False(t, all[1].pending)
		rest, err := days(t, p.client, all[1].day, time.Now())
		require.NoError(t, err)
		assert.Len(t, rest, 10, "from the day of the error on, with today")

		all, err = days(t, p.client, time.Now(), from)
		assert.ErrorIs(t, err, flussi.ErrRange)
		assert.ErrorIs(t, err, flussi.ErrInvalid)
		assert.Len(t, all, 1)
		for _, zero := range []func() ([]dayFeed, error){
			func() ([]dayFeed, error) { return days(t, p.client, time.Time{}, time.Now()) },
			func() ([]dayFeed, error) { return days(t, p.client, time.Time{}, time.Time{}) },
		} {
			_, err = zero()
			assert.ErrorIs(t, err, flussi.ErrDate)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, err := range p.client.Feeds(ctx, from, time.Now()) {
			assert.ErrorIs(t, err, context.Canceled)
		}
		assert.Equal(t, 12, p.Received(appiotest.GetFeed))
	})
}

// Feeds reads a day when the sequence gets there: a year is never held in memory.
func TestFeedsReadsDayByDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, appiotest.Config{}, nil)
		read := 0
		for e, err := range p.client.Feeds(t.Context(), time.Now().AddDate(-1, 0, 0), time.Now()) {
			require.NoError(t, err)
			require.True(t, e.DayEnds)
			if read++; read == 5 {
				break
			}
			assert.Equal(t, read, p.Received(appiotest.GetFeed))
		}
		assert.Equal(t, 5, p.Received(appiotest.GetFeed))
	})
}

// feedBody is the body of a reply that a test writes as it is read. It counts what was read of it,
// and whether it was closed.
type feedBody struct {
	io.Reader
	read   int64
	closed bool
}

func (b *feedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += int64(n)
	return n, err
}

func (b *feedBody) Close() error { b.closed = true; return nil }

// endless is the JSON of a feed with so many hashes.
func endless(hashes int) io.Reader {
	hash := `"` + strings.Repeat("0123456789abcdef", 4) + `"`
	next, done := `{"since":1,"subscriptions":[`+hash, 0
	return readerFunc(func(p []byte) (int, error) {
		for next == "" {
			switch done++; {
			case done < hashes:
				next = "," + hash
			case done == hashes:
				next = `],"unsubscriptions":[]}`
			default:
				return 0, io.EOF
			}
		}
		n := copy(p, next)
		next = next[n:]
		return n, nil
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// fed returns a client that gets a body for each feed.
func fed(t *testing.T, body func() io.ReadCloser) *appio.Client {
	return clientOf(t, func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body(), ContentLength: -1, Request: r}, nil
	})
}

// A citizen comes before the rest of the day is read, and the memory does not grow with the day.
func TestFeedsStreamsADay(t *testing.T) {
	const hashes = 900_000 // some 60 MB
	body := &feedBody{Reader: endless(hashes)}
	client := fed(t, func() io.ReadCloser { return body })
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	var before, during uint64
	got := 0
	for e, err := range client.Feeds(t.Context(), day, day) {
		if err != nil || e.DayEnds {
			require.NoError(t, err)
			break
		}
		switch got++; got {
		case 1:
			assert.Less(t, body.read, int64(100_000))
			before = heap()
		case hashes:
			during = heap()
		}
	}
	assert.Equal(t, hashes, got)
	assert.True(t, body.closed)
	assert.Less(t, during, before+1<<20)

	body = &feedBody{Reader: endless(hashes)}
	for range client.Feeds(t.Context(), day, day) {
		break
	}
	assert.True(t, body.closed)
	assert.Less(t, body.read, int64(100_000), "the rest is not read")
}

// What is wrong with a reply ends the sequence with the day, after what came before it.
func TestFeedsEndsAtAReplyThatIsNoFeed(t *testing.T) {
	const one = `"` + "aa" + `"`
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		body io.Reader
		read int // citizens before the error
		says string
	}{
		"nothing":                {strings.NewReader(""), 0, "connection closed"},
		"no object":              {strings.NewReader("[]"), 0, "not what was expected"},
		"no JSON":                {strings.NewReader("<html>"), 0, "not what was expected"},
		"no subscriptions":       {strings.NewReader(`{"unsubscriptions":[` + one + `]}`), 1, "not what was expected"},
		"no unsubscriptions":     {strings.NewReader(`{"subscriptions":[` + one + `]}`), 1, "not what was expected"},
		"a list twice":           {strings.NewReader(`{"subscriptions":[` + one + `],"subscriptions":[],"unsubscriptions":[]}`), 1, "not what was expected"},
		"a number in a list":     {strings.NewReader(`{"subscriptions":[` + one + `,1],"unsubscriptions":[]}`), 1, "not what was expected"},
		"a list in a list":       {strings.NewReader(`{"subscriptions":[[` + one + `]],"unsubscriptions":[]}`), 0, "not what was expected"},
		"an object for a list":   {strings.NewReader(`{"subscriptions":{},"unsubscriptions":[]}`), 0, "not what was expected"},
		"cut off":                {strings.NewReader(`{"subscriptions":[` + one + `,` + one), 2, "connection closed"},
		"more behind it":         {strings.NewReader(`{"subscriptions":[` + one + `],"unsubscriptions":[]} x`), 1, "not what was expected"},
		"a connection that ends": {io.MultiReader(strings.NewReader(`{"subscriptions":[`+one+`,`), iotest.ErrReader(errors.New("segreto"))), 1, "transport error"},
		"too long":               {endless(2_000_000), 1_001_624, "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			body := &feedBody{Reader: test.body}
			got, last := 0, error(nil)
			for e, err := range fed(t, func() io.ReadCloser { return body }).Feeds(t.Context(), day, day.AddDate(0, 0, 1)) {
				if last != nil || e.DayEnds || !e.Day.Equal(day) {
					require.Fail(t, "nothing comes after an error, and the day does not end")
				}
				if last = err; err == nil {
					got++
				}
			}
			require.ErrorIs(t, last, flussi.ErrUnavailable)
			assert.ErrorContains(t, last, test.says)
			assert.Equal(t, http.StatusOK, must.As[*flussi.RemoteError](t, last).Status)
			assert.Equal(t, test.read, got)
			assert.True(t, body.closed)
			must.NotContain(t, last.Error(), "segreto")
		})
	}
	// Other fields do not matter, and a list may be null.
	client := fed(t, func() io.ReadCloser {
		return &feedBody{Reader: strings.NewReader(`{"x":{"subscriptions":["bb"]},"unsubscriptions":[` + one + `],"y":[[1,"z"],{}],"z":null,"subscriptions":null}` + "\n")}
	})
	all, err := days(t, client, day, day)
	require.NoError(t, err)
	assert.Equal(t, []dayFeed{{day: day, unsubscribed: []appio.CitizenHash{"aa"}, ended: true}}, all)
}
