"""A complete loop with names of the user's own: "data_loading" stands around all of it. The loader is instant."""

import time

import stallmeter
import torch
from pieces import LINE, Samples
from torch.utils.data import DataLoader


def main():
    torch.set_num_threads(1)
    model, criterion = torch.nn.Linear(LINE, LINE), torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    data_loader = DataLoader(Samples(400, 0), batch_size=4)
    for epoch in range(2):
        with stallmeter.span(f"epoch_{epoch}_data_loading", type="data_loading"):
            for data in data_loader:
                with stallmeter.span("preprocessing", type="preprocessing"):
                    data = data / LINE
                with stallmeter.span("model_inference", type="cpu_computation"):
                    output = model(data)
                    time.sleep(0.01)
                with stallmeter.span("loss_computation", type="cpu_computation"):
                    loss = criterion(output, data)
                with stallmeter.span("backward_pass", type="cpu_computation"):
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()


if __name__ == "__main__":
    main()
