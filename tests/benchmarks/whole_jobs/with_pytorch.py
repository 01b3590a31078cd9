"""The job in PyTorch, not compiled: compiling takes longer than any of these trainings."""

from __future__ import annotations

import itertools

import torch
from rows import arguments, load
from torch import nn

given = arguments()
(X, y), (X_val, y_val) = [(torch.from_numpy(X), torch.from_numpy(y)[:, None]) for X, y in load(given.table)]
layers: list[nn.Module] = []
for n_inputs, units in itertools.pairwise([X.shape[1], *given.hidden, 1]):
    layers += [nn.Linear(n_inputs, units), nn.ReLU()]
net = nn.Sequential(*layers[:-1])
loss_of = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.001, fused=True)
for epoch in range(1, given.epochs + 1):
    for rows in torch.randperm(len(X)).split(given.batch):
        loss = loss_of(net(X[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        z = net(X_val)
        print(epoch, loss_of(z, y_val).item(), ((z > 0) == y_val).float().mean().item())
torch.save(net.state_dict(), given.weights)
