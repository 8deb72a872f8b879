package main

import (
	"context"
	"fmt"
)

// sent is the context of a change that has left: a stop lets it end, so that its answer is noted down. The client bounds it.
func (a *app) sent(ctx context.Context) context.Context {
	if a.abrupt {
		return ctx
	}
	return context.WithValue(context.WithoutCancel(ctx), stopping{}, ctx)
}

// stopping is the key of the context that ends with a stop, in one that outlives it.
type stopping struct{}

// asking is the context of a question to a person: a stop ends it, also when it is asked for a change that is let end.
func asking(ctx context.Context) context.Context {
	if stop, is := ctx.Value(stopping{}).(context.Context); is {
		return stop
	}
	return ctx
}

// tellStop says at once that a signal was heard, for as long as changes are carried out. It gives back how to end that.
func (j *job) tellStop(ctx context.Context) (end func()) {
	told := make(chan struct{})
	unsaid := context.AfterFunc(ctx, func() {
		defer close(told)
		_, _ = fmt.Fprintln(j.talk(), "stopping: what was sent is waited for and noted down, nothing more is begun; once more ends at once")
	})
	return func() {
		if !unsaid() {
			<-told
		}
	}
}
