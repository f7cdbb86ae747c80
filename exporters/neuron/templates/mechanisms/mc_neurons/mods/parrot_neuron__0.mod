TITLE Relay that emits each spike it receives, at the time at which it comes

COMMENT
Weights have no influence. Several spikes at once are as many spikes.
ENDCOMMENT

NEURON {
    POINT_PROCESS glia__mc_neurons__parrot_neuron__0
}

NET_RECEIVE(weight) {
    net_event(t)
}
