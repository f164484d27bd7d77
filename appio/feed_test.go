package appio_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
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

// days collects feeds; the last error is that of the sequence.
func days(t *testing.T, client *appio.Client, from, to time.Time) (all []appio.DayFeed, ended error) {
	t.Helper()
	for feed, err := range client.Feeds(t.Context(), from, to) {
		require.NoError(t, ended, "an error ends the sequence")
		all, ended = append(all, feed), err
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
			assert.Equal(t, first.AddDate(0, 0, i), got.Day)
			assert.Equal(t, i == 2, got.Pending)
		}
		assert.Equal(t, []appio.CitizenHash{appio.HashCitizen(sampletest.FiscalCode(1))}, all[1].Subscribed)
		assert.Zero(t, all[2].Feed)
		assert.Equal(t, 3, p.Received(appiotest.GetFeed), "later days are not asked for")

		time.Sleep(12 * time.Hour)
		all, err = days(t, p.client, all[2].Day, all[2].Day)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.False(t, all[0].Pending, "the day is over now")
		assert.Equal(t, []appio.CitizenHash{appio.HashCitizen(sampletest.FiscalCode(2))}, all[0].Subscribed)
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
			assert.Equal(t, day, all[0].Day)
			assert.Equal(t, pending, all[0].Pending, "%v, asked at midnight", day)
			assert.Equal(t, !pending, errors.Is(err, flussi.ErrRemoteNotFound), "%v", err)
		}
		time.Sleep(time.Hour) // other clocks are not that late
		all, err := days(t, client, yesterday, midnight)
		assert.ErrorIs(t, err, flussi.ErrRemoteNotFound)
		assert.False(t, all[0].Pending)
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
		assert.False(t, all[1].Pending)
		rest, err := days(t, p.client, all[1].Day, time.Now())
		require.NoError(t, err)
		assert.Len(t, rest, 10, "from the day of the error on, with today")

		all, err = days(t, p.client, time.Now(), from)
		assert.ErrorIs(t, err, flussi.ErrRange)
		assert.ErrorIs(t, err, flussi.ErrInvalid)
		assert.Len(t, all, 1)
		for _, zero := range []func() ([]appio.DayFeed, error){
			func() ([]appio.DayFeed, error) { return days(t, p.client, time.Time{}, time.Now()) },
			func() ([]appio.DayFeed, error) { return days(t, p.client, time.Time{}, time.Time{}) },
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
		for feed, err := range p.client.Feeds(t.Context(), time.Now().AddDate(-1, 0, 0), time.Now()) {
			require.NoError(t, err)
			require.False(t, feed.Pending)
			if read++; read == 5 {
				break
			}
			assert.Equal(t, read, p.Received(appiotest.GetFeed))
		}
		assert.Equal(t, 5, p.Received(appiotest.GetFeed))
	})
}
