package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"os"
)

type tlsFiles struct{ cert, key, ca *string }

func tlsFlags(flags *flag.FlagSet) tlsFiles {
	return tlsFiles{
		cert: flags.String("cert", "", "own certificate"),
		key:  flags.String("key", "", "its key"),
		ca:   flags.String("ca", "", "who signed the other side's"),
	}
}

// load reads them for either side. Go checks that a client's certificate is fit for clients, and not its name.
func (files tlsFiles) load(serverName string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(*files.cert, *files.key)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(*files.ca)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("no certificate in " + *files.ca)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		RootCAs:      pool,
		ClientCAs:    pool,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ServerName:   serverName,
	}, nil
}
