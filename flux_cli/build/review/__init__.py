"""The review page of `flux build --report`: one HTML file without scripts."""
