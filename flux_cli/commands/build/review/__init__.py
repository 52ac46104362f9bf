"""The page of `flux build --report`."""
