package flussi

import "time"

// Attempt is one attempt of a call to a platform, which a client reports to the Attempted function of
// its Config. It has no personal data.
//
// A client also reports an attempt that made no request, since the context ended while it waited for
// its turn, or since the platform asked to wait for longer than the client's MaxWait. Its Took is 0.
type Attempt struct {
	Operation string        // of the client, such as "submit message"
	Number    int           // of the attempt within its call, from 1
	Waited    time.Duration // for its turn from the pace of the body
	Took      time.Duration // from the request to the end of the reply, or of its headers if the caller reads the rest
	Status    int           // of HTTP; 0 without a reply
	Pause     time.Duration // before the next attempt waits for its turn; 0 if there is no next attempt
}
