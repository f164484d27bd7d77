package appiotest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
)

const (
	key  = "a-key"
	code = "RSSMRA80A01H501U"
)

// call sends a request as any program would, without this library's client.
func call(h http.Handler, key, method, path, body string) *http.Response {
	r := httptest.NewRequest(method, appiotest.BasePath+path, strings.NewReader(body))
	r.Header.Set("Ocp-Apim-Subscription-Key", key)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// submit submits a valid message, and profile asks for the profile of its recipient.
func submit(h http.Handler, key string) *http.Response {
	return call(h, key, http.MethodPost, "/messages", valid(``))
}

func profile(h http.Handler) *http.Response {
	return call(h, key, http.MethodPost, "/profiles", `{"fiscal_code":"`+code+`"}`)
}

func read(t *testing.T, r *http.Response) string {
	body := must.Get(io.ReadAll(r.Body))(t)
	return string(body)
}

func newSimulator(c appiotest.Config) *appiotest.Simulator {
	s := appiotest.New(c)
	s.AddService(appiotest.Service{ID: "tributi", Key: key, Body: "80185250588"})
	return s
}

func valid(change string) string {
	fields := fmt.Sprintf(`"subject":"Oggetto di prova","markdown":%q`, strings.Repeat("x", 80))
	return `{"fiscal_code":"` + code + `","content":{` + fields + change + `}}`
}

func TestSubmissionsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		status int
		detail string
	}{
		"valid":                     {valid(``), 201, ""},
		"with what is not known":    {valid(`,"colour":"blue"`), 201, ""},
		"with a payment":            {valid(`,"payment_data":{"amount":1,"notice_number":"301005100001400678"}`), 201, ""},
		"with its own payee":        {valid(`,"payment_data":{"amount":1,"notice_number":"301005100001400678","payee":{"fiscal_code":"80185250588"}}`), 201, ""},
		"with another payee":        {valid(`,"payment_data":{"amount":1,"notice_number":"301005100001400678","payee":{"fiscal_code":"15376371009"}}`), 403, "payee"},
		"no JSON":                   {`x`, 400, "[root]"},
		"a list":                    {`[]`, 400, "[root]"},
		"null":                      {`null`, 400, "[root]"},
		"no recipient":              {strings.Replace(valid(``), "fiscal_code", "code", 1), 400, "[root.fiscal_code]"},
		"a recipient in lower case": {strings.Replace(valid(``), code, strings.ToLower(code), 1), 400, "[root.fiscal_code]"},
		"11 digits":                 {strings.Replace(valid(``), code, "80185250588", 1), 400, "[root.fiscal_code]"},
		"no content":                {`{"fiscal_code":"` + code + `"}`, 400, "[root.content]"},
		"a subject of 9":            {strings.Replace(valid(``), "Oggetto di prova", "123456789", 1), 400, "[root.content.subject]"},
		"a subject of 8 and 😀":      {strings.Replace(valid(``), "Oggetto di prova", "12345678😀", 1), 201, ""},
		"a subject that is null":    {strings.Replace(valid(``), `"Oggetto di prova"`, "null", 1), 400, "[root.content.subject]"},
		"an amount of 0":            {valid(`,"payment_data":{"amount":0,"notice_number":"301005100001400678"}`), 400, "[root.content.payment_data.amount]"},
		"an amount with decimals":   {valid(`,"payment_data":{"amount":12.5,"notice_number":"301005100001400678"}`), 400, "[root.content.payment_data.amount]"},
		"a number that is a number": {valid(`,"payment_data":{"amount":1,"notice_number":301005100001400678}`), 400, "[root.content.payment_data.notice_number]"},
		"a local due date":          {valid(`,"due_date":"2025-03-30T21:59:59+02:00"`), 400, "[root.content.due_date]"},
		"a due date in UTC":         {valid(`,"due_date":"2025-03-30T21:59:59Z"`), 201, ""},
		"another feature level":     {strings.Replace(valid(``), `"content"`, `"feature_level_type":"GOLD","content"`, 1), 400, "[root.feature_level_type]"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSimulator(appiotest.Config{})
			r := call(s, key, http.MethodPost, "/messages", test.body)
			body := read(t, r)
			assert.Equal(t, test.status, r.StatusCode, body)
			if test.status == 201 {
				require.Len(t, s.Deliveries(), 1)
				d := s.Deliveries()[0]
				assert.Regexp(t, `^[0-7][0-9A-HJKMNP-TV-Z]{25}$`, d.ID)
				assert.JSONEq(t, `{"id":"`+d.ID+`"}`, body)
				assert.Equal(t, appiotest.BasePath+"/messages/"+code+"/"+d.ID, r.Header.Get("Location"))
				assert.Equal(t, "tributi", d.Service)
				assert.Equal(t, code, d.Recipient.Reveal())
				assert.Equal(t, "PROCESSED", d.State.Status)
				assert.JSONEq(t, test.body, d.Request.Reveal())
				return
			}
			assert.Empty(t, s.Deliveries())
			assert.Contains(t, r.Header.Get("Content-Type"), "application/problem+json")
			assert.Contains(t, body, test.detail)
		})
	}
}

// The platform checks what a service may do in this order: permissions, the configuration of remote
// content, attachments, the recipient, the amount.
func TestWhatAServiceMayNotDoIsRefused(t *testing.T) {
	const (
		payment = `,"payment_data":{"amount":1250,"notice_number":"301005100001400678"}`
		own     = `,"third_party_data":{"id":"1","configuration_id":"01HMVMHCZZ8D0VTFWMRHBM5D6F"}`
	)
	remote := func(change string) string { return valid(strings.Replace(own, `"id":"1"`, `"id":"1"`+change, 1)) }
	citizen := must.Get(flussi.ParseFiscalCode(code))(t)
	for name, test := range map[string]struct {
		service appiotest.Service
		body    string
		status  int
		title   string
	}{
		"a recipient who is authorised":         {appiotest.Service{Recipients: []flussi.FiscalCode{citizen}}, valid(``), 201, ""},
		"a recipient who is not":                {appiotest.Service{Recipients: []flussi.FiscalCode{flussi.TestRecipient()}}, valid(``), 403, "Recipient forbidden"},
		"no recipient at all":                   {appiotest.Service{Recipients: []flussi.FiscalCode{}}, valid(``), 403, "Recipient forbidden"},
		"an amount within the limit":            {appiotest.Service{MaxAmount: 1250}, valid(payment), 201, ""},
		"an amount beyond it":                   {appiotest.Service{MaxAmount: 1249}, valid(payment), 400, "The requested amount (1250 cents) exceeds the maximum allowed for this service (1249 cents)"},
		"an adult":                              {appiotest.Service{MinAge: 18}, valid(``), 201, ""},
		"a minor":                               {appiotest.Service{MinAge: 18}, strings.Replace(valid(``), code, "RSSMRA15A01H501X", 1), 422, "Recipient age not eligible"},
		"an adult, of a service for minors":     {appiotest.Service{MaxAge: 17}, valid(``), 422, "Recipient age not eligible"},
		"no date of birth":                      {appiotest.Service{MinAge: 18}, strings.Replace(valid(``), code, "RSSMRA80B31H501X", 1), 422, "Recipient age not eligible"},
		"its own configuration":                 {appiotest.Service{}, valid(own), 201, ""},
		"another body's configuration":          {appiotest.Service{}, strings.Replace(valid(own), "D6F", "D6G", 1), 403, "Not your configuration"},
		"an unknown configuration":              {appiotest.Service{}, strings.Replace(valid(own), "D6F", "D6H", 1), 404, "Remote Content Configuration NOT FOUND"},
		"no configuration":                      {appiotest.Service{}, valid(`,"third_party_data":{"id":"1"}`), 403, "No configuration id for remote content"},
		"attachments with STANDARD":             {appiotest.Service{}, remote(`,"has_attachments":true`), 403, "Attachments call forbidden"},
		"attachments with ADVANCED":             {appiotest.Service{}, strings.Replace(remote(`,"has_attachments":true`), `"content"`, `"feature_level_type":"ADVANCED","content"`, 1), 201, ""},
		"ADVANCED without permission":           {appiotest.Service{StandardOnly: true}, strings.Replace(valid(``), `"content"`, `"feature_level_type":"ADVANCED","content"`, 1), 403, "You do not have enough permissions"},
		"the configuration comes before":        {appiotest.Service{Recipients: []flussi.FiscalCode{}}, strings.Replace(valid(own), "D6F", "D6H", 1), 404, "NOT FOUND"},
		"the recipient comes before the amount": {appiotest.Service{Recipients: []flussi.FiscalCode{}, MaxAmount: 1}, valid(payment), 403, "Recipient forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			s := appiotest.New(appiotest.Config{})
			service := test.service
			service.ID, service.Key, service.Body, service.Configurations = "tributi", key, "80185250588", []string{"01HMVMHCZZ8D0VTFWMRHBM5D6F"}
			s.AddService(service)
			s.AddService(appiotest.Service{ID: "altrove", Key: "another", Configurations: []string{"01HMVMHCZZ8D0VTFWMRHBM5D6G"}})
			r := call(s, key, http.MethodPost, "/messages", test.body)
			body := read(t, r)
			assert.Equal(t, test.status, r.StatusCode, body)
			assert.Contains(t, body, test.title)
			if test.status != 201 {
				assert.Contains(t, r.Header.Get("Content-Type"), "application/problem+json")
				assert.Empty(t, s.Deliveries())
			}
		})
	}
}

func TestAMessageIsShownOnlyToItsService(t *testing.T) {
	s := newSimulator(appiotest.Config{})
	s.AddService(appiotest.Service{ID: "anagrafe", Key: "another", Body: "80185250588"})
	require.Equal(t, 201, submit(s, key).StatusCode)
	id := s.Deliveries()[0].ID
	assert.Equal(t, 200, call(s, key, http.MethodGet, "/messages/"+code+"/"+id, "").StatusCode)
	assert.Equal(t, 404, call(s, key, http.MethodGet, "/messages/AAAAAA00A00A000A/"+id, "").StatusCode, "another recipient")
	r := call(s, "another", http.MethodGet, "/messages/"+code+"/"+id, "")
	assert.Equal(t, 403, r.StatusCode)
	assert.Contains(t, read(t, r), "You are not allowed here")
}

func TestWhatThePlatformDoesNotKnowIsRemovedInSilence(t *testing.T) {
	s := newSimulator(appiotest.Config{})
	body := valid(`,"legal_data":{"sender_mail_from":"a@pec.it"},"prescription_data":{"nre":"1"},"require_secure_channels":false`)
	require.Equal(t, 201, call(s, key, http.MethodPost, "/messages", body).StatusCode)
	shown := read(t, call(s, key, http.MethodGet, "/messages/"+code+"/"+s.Deliveries()[0].ID, ""))
	assert.Contains(t, shown, `"require_secure_channels":false`)
	assert.NotContains(t, shown, "legal_data")
	assert.NotContains(t, shown, "prescription_data")
}

func TestTheGatewayAnswersForItself(t *testing.T) {
	s := newSimulator(appiotest.Config{})
	s.AddService(appiotest.Service{ID: "chiuso", Key: "closed", Forbidden: true})
	r := submit(s, "another")
	assert.Equal(t, 401, r.StatusCode)
	assert.Contains(t, read(t, r), `"statusCode":401`)
	r = submit(s, "closed")
	assert.Equal(t, 403, r.StatusCode)
	for _, path := range []string{"/elsewhere", "/messages/x/y/z", "/messages"} {
		assert.Equal(t, 404, call(s, key, http.MethodGet, path, "").StatusCode, path)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/messages", nil))
	assert.Equal(t, 404, w.Code, "outside the base path")
	assert.Empty(t, s.Deliveries())
}

func TestTheLimitIsOfTheBodyOverAllServicesAndOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(appiotest.Config{})
		s.AddService(appiotest.Service{ID: "scuola", Key: "key-2", Body: "80185250588"})
		s.AddService(appiotest.Service{ID: "altrove", Key: "key-3", Body: "15376371009"})
		for i := range 150 {
			if i == 75 {
				time.Sleep(2 * time.Second)
			}
			assert.Equal(t, 201, submit(s, []string{key, "key-2"}[i%2]).StatusCode)
		}
		r := profile(s)
		assert.Equal(t, 429, r.StatusCode)
		assert.Equal(t, "3", r.Header.Get("Retry-After"))
		assert.Equal(t, "3", r.Header.Get("X-Rate-Limit-Retry-After"))
		assert.Contains(t, read(t, r), `"statusCode":429`)
		assert.Equal(t, 201, submit(s, "key-3").StatusCode, "another body")
		time.Sleep(3 * time.Second)
		for range 75 {
			assert.Equal(t, 201, submit(s, key).StatusCode)
		}
		assert.Equal(t, 429, submit(s, key).StatusCode)
		assert.Equal(t, 2, s.Limited())
		assert.Len(t, s.Deliveries(), 226)
	})
}

func TestStatesAdvance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := newSimulator(appiotest.Config{Hold: true})
		require.Equal(t, 201, submit(held, key).StatusCode)
		time.Sleep(time.Hour)
		assert.Equal(t, "ACCEPTED", held.Deliveries()[0].State.Status)
		held.Process()
		assert.Equal(t, "PROCESSED", held.Deliveries()[0].State.Status)

		timed := newSimulator(appiotest.Config{ProcessAfter: time.Minute, ListedOnly: true})
		require.Equal(t, 201, submit(timed, key).StatusCode, "accepted, whoever it is for")
		assert.Equal(t, "ACCEPTED", timed.Deliveries()[0].State.Status)
		time.Sleep(time.Minute)
		assert.Equal(t, "REJECTED", timed.Deliveries()[0].State.Status, "nobody is on App IO there")
	})
}

func TestFaults(t *testing.T) {
	for _, fault := range appiotest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			server := appiotest.NewServer(appiotest.Config{})
			defer server.Close()
			server.AddService(appiotest.Service{ID: "tributi", Key: key})
			server.Fail(appiotest.SubmitMessage, fault)
			patience := 30 * time.Second
			if fault.Kind == appiotest.Silent {
				patience = 200 * time.Millisecond
			}
			client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true},
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			post := func() (*http.Response, error) {
				r := must.Get(http.NewRequest(http.MethodPost, server.URL+"/messages", strings.NewReader(valid(``))))(t)
				r.Header.Set("Ocp-Apim-Subscription-Key", key)
				resp, err := client.Do(r)
				if err == nil {
					defer resp.Body.Close()
					_, err = io.ReadAll(resp.Body)
				}
				return resp, err
			}
			resp, err := post()
			stored := 0
			switch fault.Kind {
			case appiotest.Truncated, appiotest.CutBody, appiotest.NoID, appiotest.LocationOnly, appiotest.Slow:
				stored = 1
			default:
				if fault.Stored {
					stored = 1
				}
			}
			assert.Len(t, server.Deliveries(), stored)
			want := map[appiotest.FaultKind]int{
				appiotest.Redirected: 307, appiotest.Unprocessable: 422,
				appiotest.BadRequest: 400, appiotest.Unauthorized: 401, appiotest.Forbidden: 403, appiotest.NotFound: 404,
				appiotest.TooManyRequests: 429, appiotest.TooManyBare: 429, appiotest.ServerProblem: 500, appiotest.ServerError: 500,
				appiotest.BadGateway: 502, appiotest.Unavailable: 503, appiotest.GatewayTimeout: 504, appiotest.Slow: 201,
				appiotest.NoID: 201, appiotest.LocationOnly: 201,
			}[fault.Kind]
			if want == 0 {
				assert.Error(t, err)
			} else {
				require.NoError(t, err)
				assert.Equal(t, want, resp.StatusCode)
			}
			client.Timeout = 30 * time.Second
			resp = must.Get(post())(t)
			assert.Equal(t, 201, resp.StatusCode, "one fault, one call")
		})
	}
}

// The platform may answer any error of a server before or after it stored the message.
func TestServerFaultsComeBeforeAndAfterStoring(t *testing.T) {
	for _, kind := range []appiotest.FaultKind{
		appiotest.ServerProblem, appiotest.ServerError, appiotest.BadGateway, appiotest.Unavailable, appiotest.GatewayTimeout, appiotest.Silent, appiotest.Reset,
	} {
		assert.Contains(t, appiotest.Faults(), appiotest.Fault{Kind: kind})
		assert.Contains(t, appiotest.Faults(), appiotest.Fault{Kind: kind, Stored: true})
	}
	var bodies []string
	for _, stored := range []bool{false, true} {
		s := newSimulator(appiotest.Config{})
		s.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.ServerProblem, Stored: stored})
		r := submit(s, key)
		assert.Equal(t, 500, r.StatusCode)
		assert.Empty(t, r.Header.Get("Location"))
		bodies = append(bodies, r.Header.Get("Content-Type")+read(t, r))
		assert.Equal(t, stored, len(s.Deliveries()) == 1)
	}
	assert.Equal(t, bodies[0], bodies[1], "the answer does not tell which")
}

func TestRandomFaultsStrikeTheirShare(t *testing.T) {
	s := newSimulator(appiotest.Config{Unlimited: true})
	s.FailAtRandom(appiotest.GetProfile, 0.3, 1, appiotest.Fault{Kind: appiotest.ServerProblem})
	count := func() (failed int) {
		for range 1000 {
			if profile(s).StatusCode == 500 {
				failed++
			}
		}
		return failed
	}
	assert.InDelta(t, 300, count(), 50)
	s.FailAtRandom(appiotest.GetProfile, 0, 1)
	assert.Zero(t, count())
	assert.Equal(t, 2000, s.Received(appiotest.GetProfile))
}

func TestStopFailingRemovesFaults(t *testing.T) {
	s := newSimulator(appiotest.Config{})
	s.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.BadGateway})
	s.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.BadGateway})
	s.StopFailing()
	assert.Equal(t, 201, submit(s, key).StatusCode)
}

func TestTheSimulatorIsSafeForConcurrentUse(t *testing.T) {
	s := newSimulator(appiotest.Config{Unlimited: true})
	s.FailAtRandom(appiotest.SubmitMessage, 0.5, 1, appiotest.Fault{Kind: appiotest.NoID}, appiotest.Fault{Kind: appiotest.BadGateway})
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for range 100 {
				submit(s, key)
				s.Deliveries()
				s.AddCitizen(appiotest.Citizen{Code: flussi.TestRecipient()})
				s.Process()
			}
		})
	}
	group.Wait()
	ids := map[string]bool{}
	for _, d := range s.Deliveries() {
		assert.False(t, ids[d.ID])
		ids[d.ID] = true
	}
}
