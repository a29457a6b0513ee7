package main

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand"
	"net"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/balancer/roundrobin"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Both as in kiam's handlers of HTTP requests: the time for one, and its back-off.
const (
	requestTime  = 5 * time.Second
	firstBackoff = 5 * time.Millisecond
)

// outcome is what one request came to, after all its attempts.
type outcome struct {
	Event   string `json:"event"`
	Call    string `json:"call"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Peer    string `json:"peer"`
	// The bytes of the answer.
	Hex string `json:"hex"`
	// What the attempts before the last one came to.
	Failures []string `json:"failures"`
	Millis   int64    `json:"millis"`
}

func call(args []string) error {
	flags := flag.NewFlagSet("call", flag.ExitOnError)
	files := tlsFlags(flags)
	address := flags.String("server-address", "localhost:9610", "host:port")
	dns := flags.String("dns", "", "ask this DNS server, and not the system's")
	dialTime := flags.Duration("gateway-timeout-creation", time.Second, "")
	ping := flags.Duration("grpc-keepalive-time-duration", 10*time.Second, "")
	pingTimeout := flags.Duration("grpc-keepalive-timeout-duration", 2*time.Second, "")
	pingIdle := flags.Bool("grpc-keepalive-permit-without-stream", false, "")
	calls := flags.String("calls", "GetHealth", "METHOD[/IP[/ROLE]],... to call in turn")
	every := flags.Duration("every", 100*time.Millisecond, "how long each worker waits before it calls again")
	lasting := flags.Duration("for", 0, "how long to go on; 0: each call once")
	workers := flags.Int("workers", 1, "how many call at the same time")
	retry := flags.Bool("retry", false, "try again as kiam's handlers do")
	_ = flags.Parse(args)

	host, _, err := net.SplitHostPort(*address)
	if err != nil {
		return err
	}
	config, err := files.load(host)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), *dialTime)
	defer cancel()
	connection, err := grpc.DialContext(ctx, fmt.Sprintf("dns://%s/%s", *dns, *address),
		grpc.WithBlock(),
		grpc.WithTransportCredentials(credentials.NewTLS(config)),
		grpc.WithBalancerName(roundrobin.Name),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec{})),
		grpc.WithStatsHandler(connections{}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: *ping, Timeout: *pingTimeout, PermitWithoutStream: *pingIdle,
		}),
	)
	if err != nil {
		return fmt.Errorf("error dialing grpc server: %w", err)
	}
	defer connection.Close()

	end := time.Now().Add(*lasting)
	list := strings.Split(*calls, ",")
	var all sync.WaitGroup
	for range *workers {
		all.Add(1)
		go func() {
			defer all.Done()
			for turn := 0; ; turn++ {
				emit(request(connection, list[turn%len(list)], *retry))
				if *lasting == 0 {
					if turn == len(list)-1 {
						return
					}
					continue
				}
				if time.Now().Add(*every).After(end) {
					return
				}
				time.Sleep(*every)
			}
		}()
	}
	all.Wait()
	return nil
}

// request makes one call, and with retry makes it again until it succeeds, is forbidden, or has had its time.
func request(connection *grpc.ClientConn, what string, retry bool) outcome {
	parts := strings.SplitN(what, "/", 3)
	message := texts(parts[1:]...)
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	began := time.Now()
	failures := []string{}
	wait := firstBackoff
	for {
		var response []byte
		var server peer.Peer
		err := connection.Invoke(ctx, "/"+service+"/"+parts[0], &message, &response, grpc.Peer(&server))
		text := status.Convert(err).Message()
		if err == nil || !retry || text == "forbidden by policy" || ctx.Err() != nil {
			from := ""
			if server.Addr != nil {
				from = server.Addr.String()
			}
			return outcome{
				Event: "answer", Call: what, Code: status.Code(err).String(), Message: text, Peer: from,
				Hex: hex.EncodeToString(response), Failures: failures, Millis: time.Since(began).Milliseconds(),
			}
		}
		failures = append(failures, status.Code(err).String()+": "+text)
		// Half to one and a half of it.
		select {
		case <-time.After(wait/2 + time.Duration(rand.Int63n(int64(wait)))):
		case <-ctx.Done():
		}
		wait = wait * 3 / 2
	}
}
