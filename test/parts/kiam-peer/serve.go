package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/stats"
)

// pod is what the server is told to say of one.
type pod struct {
	Role        string
	Credentials []string
	// What GetPodCredentials fails with.
	Error string
	// How long GetPodCredentials takes, as if STS were slow.
	DelayMillis int
}

type server struct{ podsFile string }

func serve(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	files := tlsFlags(flags)
	bind := flags.String("bind", "localhost:9610", "where to listen")
	pods := flags.String("pods", "", "JSON: address to pod, read for each call")
	ping := flags.Duration("grpc-keepalive-time-duration", 10*time.Second, "")
	pingTimeout := flags.Duration("grpc-keepalive-timeout-duration", 2*time.Second, "")
	idle := flags.Duration("grpc-max-connection-idle-duration", 15*time.Minute, "")
	age := flags.Duration("grpc-max-connection-age-duration", 15*time.Minute, "")
	grace := flags.Duration("grpc-max-connection-age-grace-duration", 15*time.Minute, "")
	_ = flags.Parse(args)

	config, err := files.load("")
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *bind)
	if err != nil {
		return err
	}
	// As kiam: parameters, and no enforcement policy, so that the library's own holds.
	grpcServer := grpc.NewServer(
		grpc.Creds(credentials.NewTLS(config)),
		grpc.CustomCodec(codec{}),
		grpc.StatsHandler(connections{}),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: *ping, Timeout: *pingTimeout,
			MaxConnectionIdle: *idle, MaxConnectionAge: *age, MaxConnectionAgeGrace: *grace,
		}),
	)
	grpcServer.RegisterService(&grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			{MethodName: "GetPodRole", Handler: handler("GetPodRole", server.getPodRole)},
			{MethodName: "GetPodCredentials", Handler: handler("GetPodCredentials", server.getPodCredentials)},
			{MethodName: "GetHealth", Handler: handler("GetHealth", server.getHealth)},
		},
	}, server{*pods})

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		grpcServer.GracefulStop()
	}()
	emit(map[string]any{"event": "listening"})
	return grpcServer.Serve(listener)
}

// handler decodes a request and notes the call.
func handler(method string, answer func(server, string, string) ([]byte, error)) func(
	any, context.Context, func(any) error, grpc.UnaryServerInterceptor,
) (any, error) {
	return func(srv any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var request []byte
		if err := decode(&request); err != nil {
			return nil, err
		}
		ip, err := field(request, 1)
		if err != nil {
			return nil, err
		}
		role, err := field(request, 2)
		if err != nil {
			return nil, err
		}
		from := ""
		if caller, ok := peer.FromContext(ctx); ok {
			from = caller.Addr.String()
		}
		emit(map[string]any{"event": "call", "method": method, "ip": ip, "role": role, "peer": from})
		message, err := answer(srv.(server), ip, role)
		if err != nil {
			return nil, err
		}
		return &message, nil
	}
}

func (s server) find(ip string) (*pod, error) {
	text, err := os.ReadFile(s.podsFile)
	if err != nil {
		return nil, err
	}
	known := map[string]*pod{}
	if err := json.Unmarshal(text, &known); err != nil {
		return nil, err
	}
	return known[ip], nil
}

func (s server) getPodRole(ip, _ string) ([]byte, error) {
	found, err := s.find(ip)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, errors.New("pod not found")
	}
	return texts(found.Role), nil
}

func (s server) getPodCredentials(ip, role string) ([]byte, error) {
	found, err := s.find(ip)
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return nil, errors.New("no pod found")
	case role == "":
		return nil, errors.New("role can't be empty")
	case found.Error == "" && role != found.Role:
		return nil, errors.New("forbidden by policy")
	}
	time.Sleep(time.Duration(found.DelayMillis) * time.Millisecond)
	if found.Error != "" {
		return nil, errors.New(found.Error)
	}
	return texts(found.Credentials...), nil
}

func (s server) getHealth(_, _ string) ([]byte, error) { return texts("ok"), nil }

// connections notes when one begins and ends.
type connections struct{}

func (connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (connections) HandleRPC(context.Context, stats.RPCStats)                         {}
func (connections) HandleConn(_ context.Context, change stats.ConnStats) {
	switch change.(type) {
	case *stats.ConnBegin:
		emit(map[string]any{"event": "connected"})
	case *stats.ConnEnd:
		emit(map[string]any{"event": "disconnected"})
	}
}
